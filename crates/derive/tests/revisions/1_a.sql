-- revision: a
-- message: the first
-- up
SELECT 1;
