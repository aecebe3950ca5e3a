
-- name: broken
SELECT id,
       titel
FROM jobs
