-- revision: c
-- parents: b
-- message: the second
-- up
SELECT 2;
