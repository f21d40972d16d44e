package file

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"

	"twinrow/detect/key"
)

// Formats are the endings of files that are tables; each may be followed by
// one of Packings.
var Formats = []string{"csv", "tsv", "jsonl", "ndjson", "json"}

// Items is the format of items of DynamoDB, one a line with the types of their
// values. A .json file is what `aws dynamodb scan` prints, which is made such
// lines of.
const Items = "items"

// Packings are the endings of compressed files. What a file truly is shows in
// its first bytes, so a wrong or missing one does no harm.
var Packings = []string{"gz", "zst"}

// SplitName takes a path's ending apart: "shop.csv.gz" is the table "shop" in
// the format "csv". The format is lower case, and empty where there is none.
func SplitName(path string) (table, format string) {
	table = filepath.Base(path)
	format = extension(table)
	if format == "gz" || format == "zst" {
		table = table[:len(table)-len(format)-1]
		format = extension(table)
	}
	if format != "" {
		table = table[:len(table)-len(format)-1]
	}
	return table, format
}

func extension(name string) string {
	return strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")
}

// formatOf settles the format of a file by its name; that of standard input is
// told by its first line and comes back empty.
func formatOf(path, format string) (string, error) {
	if format == "" && path != "-" {
		_, format = SplitName(path)
	}
	switch format {
	case "csv", "tsv", "jsonl", "json", Items:
		return format, nil
	case "ndjson":
		return "jsonl", nil
	case "":
		if path == "-" {
			return "", nil
		}
	}
	return "", &key.Problem{Code: key.CodeUnsupported, Message: "cannot tell the format of " + path, Hint: "give a file that ends in .csv, .tsv, .jsonl, .ndjson or .json, or in one of them and .gz or .zst"}
}

// bom is the byte order mark that spreadsheets write.
const bom = "\xef\xbb\xbf"

// foreign are the first bytes of files that are not text in UTF-8.
var foreign = []struct{ magic, what, hint string }{
	{"\xff\xfe", "is UTF-16 text", "save it as UTF-8"},
	{"\xfe\xff", "is UTF-16 text", "save it as UTF-8"},
	{"SQLite format 3\x00", "is a SQLite database", "give its path with the prefix sqlite:"},
	{magicGzip, "is compressed twice", "unpack it once more, as with: gunzip"},
	{magicZstd, "is compressed twice", "unpack it once more, as with: unzstd"},
	{"BZh", "is compressed by bzip2", "unpack it first, as with: bunzip2 -c FILE | twinrow scan - …"},
	{"\xfd7zXZ\x00", "is compressed by xz", "unpack it first, as with: xz -dc FILE | twinrow scan - …"},
	{"PK\x03\x04", "is a ZIP archive or a spreadsheet", "export the table as CSV"},
}

// start reads the first bytes and refuses what is plainly no text.
func (s *Source) start() ([]byte, error) {
	start := make([]byte, 64<<10)
	n, err := s.input.file.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(s.input.name, err)
	}
	start = start[:n]
	for _, f := range foreign {
		if bytes.HasPrefix(start, []byte(f.magic)) {
			return nil, &key.Problem{Code: key.CodeBadInput, Message: s.input.name + " " + f.what, Hint: f.hint}
		}
	}
	return start, nil
}

// settle tells the format of what has no name, and whether another's name lies.
func (s *Source) settle(format string, start []byte) (string, error) {
	text := bytes.TrimSpace(bytes.TrimPrefix(start, []byte(bom)))
	isObject := len(text) > 0 && text[0] == '{'
	switch {
	case format == "" && isObject:
		return "jsonl", nil
	case format == "" && tabbed(text):
		return "tsv", nil
	case format == "":
		return "csv", nil
	case format != "jsonl" && format != Items && isObject && len(bytes.TrimSpace(text[1:])) > 0 && bytes.TrimSpace(text[1:])[0] == '"':
		return "", &key.Problem{Code: key.CodeBadInput, Message: s.input.name + " holds JSON, not " + strings.ToUpper(format), Hint: "name it .jsonl, or give it as standard input, which is looked at"}
	}
	return format, nil
}

// tabbed tells whether a header has more tabs than commas outside quotes.
func tabbed(text []byte) bool {
	more, quoted := 0, false
	for _, b := range text {
		switch {
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '\n':
			return more > 0
		case b == '\t':
			more++
		case b == ',':
			more--
		}
	}
	return more > 0
}
