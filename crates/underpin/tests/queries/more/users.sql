-- name: user_by_email
-- not null: email
SELECT id, email FROM users WHERE email = $1;

-- name: rename_user
UPDATE users SET full_name = $1 WHERE id = $2;
