package apply

import (
	"twinrow/detect/source"
	"twinrow/remediate/plan"
)

// referringLite are shapes of SQLite and D1, as referring are of Postgres.
var referringLite = append(both2(liteShapes), []database{
	{name: "referred to, a trigger stamps", engine: "sqlite", script: sqliteTickets + stamped, request: ticketsRequest},
	{name: "referred to, triggers all around", engine: "sqlite", script: sqliteTickets + `
CREATE TABLE audit (n INTEGER PRIMARY KEY, what TEXT);
CREATE TABLE tags (ticket_id INTEGER REFERENCES tickets ON DELETE CASCADE, tag TEXT, n INT, PRIMARY KEY (ticket_id, tag)) WITHOUT ROWID;
INSERT INTO tags VALUES (106, 'x', 1), (107, 'x', 2), (107, 'y', 3), (110, 'z', 4);
CREATE TRIGGER d AFTER DELETE ON tags BEGIN INSERT INTO audit (what) VALUES ('gone ' || old.tag); END;
CREATE TRIGGER u AFTER UPDATE OF ticket_id ON tags BEGIN INSERT INTO audit (what) VALUES ('moved ' || old.tag); END;
CREATE TRIGGER s AFTER UPDATE ON tickets BEGIN UPDATE tickets SET created_at = created_at || '!' WHERE id = new.id; END;`,
		request: ticketsRequest, options: plan.Options{Rules: map[string]plan.Rules{"tickets": {
			Merge:      []plan.ColumnRule{{Column: "email", Rule: "max"}},
			References: []plan.ReferenceRule{{Table: "tags", Columns: []string{"ticket_id"}, OnConflict: plan.Merge, Merge: []plan.ColumnRule{{Column: "n", Rule: "sum"}}}}}}}, leaves: "DELETE FROM audit;"},
}...)

const stamped = `
CREATE TABLE scans (id INTEGER PRIMARY KEY, ticket_id INTEGER REFERENCES tickets, updated_at TEXT DEFAULT '2025-01-01');
INSERT INTO scans (id, ticket_id) VALUES (1, 106), (2, 107), (3, 109), (4, 109);
CREATE TRIGGER stamp AFTER UPDATE ON scans BEGIN UPDATE scans SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = new.id; END;`

// both2 makes each shape a file of SQLite and one of D1.
func both2(shapes []database) []database {
	var all []database
	for _, d := range shapes {
		for _, engine := range []string{"sqlite", "d1"} {
			d.engine = engine
			if engine == "d1" {
				d.script += "\nCREATE TABLE d1_migrations (id);"
			}
			all = append(all, d)
		}
	}
	return all
}

var liteShapes = []database{
	{name: "referred to, several columns and keys", script: `
CREATE TABLE seats (shop INT, no INT, k TEXT, parent INT, PRIMARY KEY (shop, no), FOREIGN KEY (shop, parent) REFERENCES SEATS (SHOP, No));
INSERT INTO seats VALUES (1, 1, 'a', NULL), (1, 2, 'a', 1), (1, 3, 'a', 2), (1, 4, 'b', 3), (1, 5, 'c', 2), (1, 6, 'c', 6);
CREATE TABLE scans (id INTEGER PRIMARY KEY, shop INT, seat INT, other INT, note, FOREIGN KEY (shop, seat) REFERENCES seats ON DELETE CASCADE, FOREIGN KEY (shop, seat) REFERENCES Seats ON DELETE CASCADE);
INSERT INTO scans (shop, seat, note) VALUES (1, 1, 'x'), (1, 2, -0.0), (1, 3, x'00'), (1, 4, 'COMMIT; BEGIN TRANSACTION'), (1, 6, NULL), (NULL, 3, 'n');
CREATE TABLE loose (shop INT, a INT, b INT, x REAL, FOREIGN KEY (shop, a) REFERENCES seats ON DELETE SET NULL);
INSERT INTO loose VALUES (1, 2, 3, -0.0), (1, 2, 3, -0.0), (1, 1, 2, 9e999);`,
		request: source.Request{Table: "seats", Key: []string{"k"}, Ignore: []string{"parent", "shop"}}},
	{name: "referred to, collisions dropped", script: sqliteTickets + `
CREATE TABLE tags (ticket_id INTEGER REFERENCES tickets, tag TEXT COLLATE NOCASE, at, PRIMARY KEY (ticket_id, tag)) WITHOUT ROWID;
INSERT INTO tags VALUES (106, 'x', '2025-01-01'), (107, 'X', '2025-01-02'), (107, 'y', NULL), (109, 'z', NULL), (110, 'z', NULL), (110, 'w', NULL);`,
		request: ticketsRequest, options: plan.Options{Rules: map[string]plan.Rules{"tickets": {References: []plan.ReferenceRule{{Table: "TAGS", Columns: []string{"Ticket_id"}, OnConflict: plan.Drop}}}}}},
	{name: "referred to, partial and computed keys", script: sqliteTickets + `
CREATE TABLE tags (n INTEGER PRIMARY KEY, ticket_id INTEGER REFERENCES tickets, tag TEXT, gone, fold TEXT AS (lower(tag)));
CREATE UNIQUE INDEX one_tag ON tags (lower(tag) DESC, ticket_id) WHERE gone IS NULL AND tag <> ')'; CREATE UNIQUE INDEX one_fold ON tags (ticket_id, fold, gone COLLATE NOCASE);
INSERT INTO tags (ticket_id, tag, gone) VALUES (106, 'x', NULL), (107, 'X', NULL), (107, 'y', 'Old'), (106, 'z', 'old'), (109, ')', NULL), (110, ')', NULL), (110, 'w', NULL);`,
		request: ticketsRequest, options: plan.Options{Rules: map[string]plan.Rules{"tickets": {References: []plan.ReferenceRule{{Table: "tags", Columns: []string{"ticket_id"}, OnConflict: plan.Drop}}}}}},
	{name: "referred to, without a rowid", script: `
CREATE TABLE seats (hall TEXT, no NUMERIC, k TEXT, parent NUMERIC, PRIMARY KEY (hall, no), FOREIGN KEY (hall, parent) REFERENCES seats) WITHOUT ROWID;
INSERT INTO seats VALUES ('A', 1, 'a', NULL), ('A', 2.5, 'a', 1), ('a''b', x'00', 'b', NULL), ('ü', '2', 'b', NULL), ('ü', 3, 'c', 2);
CREATE TABLE scans (hall TEXT, seat NUMERIC, tag TEXT, FOREIGN KEY (hall, seat) REFERENCES seats ON DELETE CASCADE, UNIQUE (hall, seat, tag)); INSERT INTO scans VALUES ('A', 2.5, 'x'), ('A', 1, 'x'), ('A', 2.5, 'y'), ('ü', '2', 'x');`,
		request: source.Request{Table: "seats", Key: []string{"k"}, Ignore: []string{"parent"}}, options: plan.Options{Rules: map[string]plan.Rules{"seats": {References: []plan.ReferenceRule{{Table: "scans", Columns: []string{"hall", "seat"}, OnConflict: plan.Drop}}}}}},
	{name: "referred to, one row for each", script: sqliteTickets + `
CREATE TABLE details (ticket_id INTEGER PRIMARY KEY REFERENCES tickets (id), seat TEXT); INSERT INTO details VALUES (107, 'a'), (109, 'b'), (104, 'c');`, request: ticketsRequest},
	{name: "referred to, collisions merged", script: sqliteTickets + `
CREATE TABLE tallies (ticket_id INTEGER REFERENCES tickets, what TEXT, n NUMERIC, seen TEXT, ok INT, note TEXT, first INT, flags INT, UNIQUE (ticket_id, what));
INSERT INTO tallies VALUES (106, 'x', 1, '2025-01-01', 1, NULL, NULL, 6), (107, 'x', 2.5, '2025-01-02', 0, 'b', 7, 3), (109, 'z', 1, NULL, 1, 'c', 1, 1), (110, 'z', 2, NULL, NULL, 'd', 2, -2), (110, 'w', 3, NULL, NULL, NULL, 3, 4);`,
		request: ticketsRequest, options: plan.Options{Rules: map[string]plan.Rules{"tickets": {References: []plan.ReferenceRule{{Table: "tallies", Columns: []string{"ticket_id"}, OnConflict: plan.Merge,
			Merge: []plan.ColumnRule{{Column: "n", Rule: "sum"}, {Column: "seen", Rule: "max"}, {Column: "ok", Rule: "and"}, {Column: "note", Rule: "concat"}, {Column: "first", Rule: "first-non-null"}, {Column: "flags", Rule: "or"}, {Column: "what", Rule: "keep"}}}}}}}},
	{name: "referred to by another column", script: `
CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, code TEXT UNIQUE COLLATE NOCASE);
INSERT INTO people VALUES (1, 'a', 'One'), (2, 'a', 'Two'), (3, 'b', 'Three'), (4, 'a', 'Four');
CREATE TABLE cards (n INTEGER PRIMARY KEY, owner TEXT REFERENCES people (CODE) ON UPDATE CASCADE); INSERT INTO cards VALUES (1, 'two'), (2, 'One'), (3, 'FOUR'), (4, 'Three');`,
		request: source.Request{Table: "people", Key: []string{"mail"}, Ignore: []string{"code"}}},
	{name: "referred to, deleted and set null", script: sqliteTickets + `
CREATE TABLE sessions (id INTEGER PRIMARY KEY, ticket_id INT NOT NULL REFERENCES tickets); INSERT INTO sessions VALUES (1, 107), (2, 106), (3, 110);
CREATE TABLE notes (id TEXT PRIMARY KEY, ticket_id INT REFERENCES tickets); INSERT INTO notes VALUES ('a', 107), ('b', 106), ('c', 110);
CREATE TABLE comments (subject_type TEXT, subject_id); INSERT INTO comments VALUES ('ticket', '107'), ('order', '107'), ('ticket', 106), ('ticket', 107);`,
		request: source.Request{Table: "tickets", Key: ticketsRequest.Key, Time: "created_at", References: []source.Declared{{Table: "comments", Columns: []string{"subject_id"}, Where: "subject_type = 'ticket'"}}},
		options: plan.Options{Rules: map[string]plan.Rules{"tickets": {References: []plan.ReferenceRule{
			{Table: "sessions", Columns: []string{"ticket_id"}, Action: plan.DeleteRow}, {Table: "notes", Columns: []string{"ticket_id"}, Action: plan.SetNull},
			{Table: "comments", Columns: []string{"subject_id"}, Where: "subject_type = 'ticket'"}}}}}},
	{name: "merged", script: `
CREATE TABLE counters (id INTEGER PRIMARY KEY, k TEXT, value NUMERIC, last_seen TEXT, note TEXT UNIQUE, tags TEXT, ok INT, flags INT);
INSERT INTO counters VALUES (1, 'a', 1, '2025-01-01', NULL, 'x', 1, 6), (2, 'a', 2.5, '2025-01-03', 'two', 'y', 0, 3), (3, 'a', NULL, '2025-01-02', 'three', 'x', NULL, NULL), (4, 'b', 1, NULL, 'four', 'z', NULL, 1), (5, 'b', 1, NULL, NULL, 'z', NULL, 1);`,
		request: source.Request{Table: "counters", Key: []string{"k"}}, options: plan.Options{Rules: map[string]plan.Rules{"counters": {Differing: plan.Merge,
			Merge: []plan.ColumnRule{{Column: "value", Rule: "sum"}, {Column: "last_seen", Rule: "max"}, {Column: "note", Rule: "first-non-null"}, {Column: "tags", Rule: "concat"}, {Column: "ok", Rule: "or"}, {Column: "flags", Rule: "and"}}}}}},
	{name: "made unique", script: `
CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, at TEXT DEFAULT '2025-01-01');
CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INT REFERENCES users); INSERT INTO users (id, username) VALUES (1,'ann'),(2,'ann'),(3,'bob'),(4,'ann'); INSERT INTO posts VALUES (1,2),(2,1);`,
		request: source.Request{Table: "users", Key: []string{"username"}}, options: plan.Options{Rules: map[string]plan.Rules{"users": {Set: []plan.Assignment{{Column: "username", Value: "username || '_' || id"}}}}}},
}
