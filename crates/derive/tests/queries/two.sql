-- what; is it
SELECT 1;
-- and more
SELECT 2;
