-- revision: 3f9c2a1b7d40
-- parents: none
-- message: users and their index
-- up
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
-- up postgres no-transaction
CREATE INDEX CONCURRENTLY idx_users_email ON users (email);
-- down
DROP TABLE users;
