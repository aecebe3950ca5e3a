-- revision: 1
-- parents: none
-- message: notes
-- up
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, written TEXT NOT NULL);
-- down
DROP TABLE notes;
