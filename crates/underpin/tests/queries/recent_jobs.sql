-- The newest jobs that are open.
SELECT id, title, mood
FROM jobs
WHERE id > $1 AND is_open = $2
ORDER BY id DESC
