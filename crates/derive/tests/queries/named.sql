-- name: first

SELECT 1;
-- name: second
SELECT 2
