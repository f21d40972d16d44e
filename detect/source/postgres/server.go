package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// oldest is the first version that tells in its catalogue what we have to know:
// generated columns and collations that call different texts equal.
const oldest = 120000

// server is what the scan has to know of the server.
type server struct {
	version       string // "15.18"
	number        int    // 150018
	database      string
	databaseOID   string
	system        string // "" where the role may not ask
	keepsTimes    bool   // track_commit_timestamp
	standby       bool
	lag           float64 // seconds that a standby was behind when it was asked, below 0 where it cannot tell
	sharedBuffers int64   // bytes
	blockSize     int64
	role          string // quoted where it must be
	unicode       bool   // text is kept in UTF-8
}

func readServer(ctx context.Context, s *session) (server, error) {
	rows, err := s.rows(ctx, "server")
	if err != nil {
		return server{}, err
	}
	if len(rows) != 1 || len(rows[0]) != 11 {
		return server{}, fmt.Errorf("the server did not say what it is")
	}
	row := rows[0]
	version, _, _ := strings.Cut(row[0], " ")
	out := server{version: version, database: row[2], databaseOID: row[3], keepsTimes: row[4] == "on", standby: row[5] == "t", role: row[8], unicode: row[9] == "t", lag: lag(row[10])}
	for _, n := range []struct {
		text string
		into *int64
	}{{row[6], &out.sharedBuffers}, {row[7], &out.blockSize}} {
		if *n.into, err = strconv.ParseInt(n.text, 10, 64); err != nil {
			return server{}, fmt.Errorf("reading what the server is: %w", err)
		}
	}
	if out.number, err = strconv.Atoi(row[1]); err != nil {
		return server{}, fmt.Errorf("reading the server's version: %w", err)
	}
	if out.number < oldest {
		return server{}, &key.Problem{Code: key.CodeUnsupported, Message: "the server is PostgreSQL " + version + ", older than 12", Hint: "scan an export of the table as a CSV file"}
	}
	// Some hosts take the right to ask away; the database is then told from
	// its namesakes by its location alone.
	_ = s.attempt(ctx, func() (err error) {
		out.system, err = s.one(ctx, "server_identifier")
		return err
	})
	return out, ctx.Err()
}

func lag(text string) float64 {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return -1
	}
	return max(0, seconds)
}

// behind says how far a standby is behind its primary.
func (s server) behind() string {
	switch {
	case s.lag < 0:
		return "which cannot say how far it is behind its primary"
	case s.lag == 0:
		return "which had replayed all that it was sent"
	}
	return fmt.Sprintf("whose newest transaction was %s old", time.Duration(s.lag*float64(time.Second)).Round(time.Millisecond))
}

func (s server) info(location string) source.Info {
	info := source.Info{Engine: "postgres", Version: s.version, Database: s.database, Location: location}
	if s.system != "" {
		info.Identity = s.system + "/" + s.databaseOID
	}
	if !s.keepsTimes {
		info.Unknown = []string{"transaction times were not kept by the server"}
	}
	return info
}
