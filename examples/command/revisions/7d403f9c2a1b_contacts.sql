-- revision: 7d403f9c2a1b
-- parents: none
-- message: contacts
-- up
CREATE TABLE contacts (name text NOT NULL PRIMARY KEY, phone text NOT NULL);
-- down
DROP TABLE contacts;
