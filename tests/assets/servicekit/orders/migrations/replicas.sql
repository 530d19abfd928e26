CREATE TABLE members (
  id INTEGER PRIMARY KEY,
  email VARCHAR(80),
  balance INTEGER,
  visits INTEGER,
  last_seen DATETIME,
  changed INTEGER
);
CREATE TABLE profiles (
  member_id INTEGER PRIMARY KEY,
  bio TEXT,
  edits INTEGER
);
CREATE TABLE notes (
  id INTEGER PRIMARY KEY,
  words TEXT,
  order_id INTEGER
);
