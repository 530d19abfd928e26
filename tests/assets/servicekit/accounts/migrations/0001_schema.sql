CREATE TABLE members (
  id INTEGER NOT NULL,
  email VARCHAR(80) NOT NULL UNIQUE,
  balance INTEGER,
  visits INTEGER,
  last_seen DATETIME,
  changed INTEGER,
  PRIMARY KEY (id)
);
CREATE TABLE profiles (
  member_id INTEGER NOT NULL,
  bio TEXT,
  edits INTEGER,
  PRIMARY KEY (member_id)
);
CREATE TABLE notes (
  id INTEGER NOT NULL,
  words TEXT NOT NULL,
  order_id INTEGER,
  PRIMARY KEY (id)
);
CREATE TABLE _migrations (filename TEXT PRIMARY KEY);
