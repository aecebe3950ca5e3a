-- revision: b
-- parents: a
-- message: the second
-- up
SELECT 2;
