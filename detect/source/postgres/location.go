package postgres

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"twinrow/detect/key"
)

// connectPatience is how long a server may take to answer where the connection
// string does not say.
const connectPatience = 15 * time.Second

// parse reads a connection string as psql does, with libpq's environment,
// service file and password file.
func parse(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, unreadable(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.StatementCacheCapacity = 0
	config.DescriptionCacheCapacity = 0
	config.RuntimeParams["application_name"] = "twinrow/scan"
	config.RuntimeParams["default_transaction_read_only"] = "on"
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectPatience
	}
	// A cancelled context cancels the statement at the server.
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: patience}
	}
	return config, nil
}

// unreadable says that a connection string is wrong without repeating any of
// it: where it cannot be taken apart, anything in it may be the password.
func unreadable(err error) *key.Problem {
	p := &key.Problem{
		Code:    key.CodeUsage,
		Message: "the connection string cannot be read",
		Hint:    "write it as postgres://USER@HOST:PORT/DATABASE with special characters percent-encoded, or as \"host=HOST dbname=DATABASE user=USER\"; leave the password to PGPASSWORD or ~/.pgpass",
	}
	for _, safe := range []string{"failed to read service", "failed to configure TLS"} {
		if strings.Contains(err.Error(), ": "+safe) {
			p.Message = "the connection settings cannot be used: " + safe
			p.Hint = "check the service file, or the files of sslrootcert, sslcert and sslkey"
		}
	}
	return p
}

// kept are the settings that a location needs beside host, user and database
// to reach the server in the same way. None of them is a secret.
var kept = []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "sslsni", "target_session_attrs", "connect_timeout"}

var keyword = regexp.MustCompile(`(?:^|\s)([a-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s']+)`)

// location is the URL that finds the database again, without its password,
// which the environment or the password file has to give.
func location(dsn string, config *pgx.ConnConfig) string {
	hosts, ports := places(&config.Config)
	u := url.URL{Scheme: "postgres", User: url.User(config.User), Path: "/" + config.Database}
	query := settings(dsn)
	if options := config.RuntimeParams["options"]; options != "" {
		query.Set("options", options)
	}
	if len(hosts) == 1 && !strings.HasPrefix(hosts[0], "/") {
		u.Host = net.JoinHostPort(hosts[0], ports[0])
	} else {
		query.Set("host", strings.Join(hosts, ","))
		query.Set("port", strings.Join(ports, ","))
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// places lists the servers that a configuration tries, each once though it may
// be tried with and without encryption.
func places(config *pgconn.Config) (hosts, ports []string) {
	var seen []string
	add := func(host string, port uint16) {
		if place := fmt.Sprint(host, " ", port); !slices.Contains(seen, place) {
			seen = append(seen, place)
			hosts, ports = append(hosts, host), append(ports, strconv.Itoa(int(port)))
		}
	}
	add(config.Host, config.Port)
	for _, f := range config.Fallbacks {
		add(f.Host, f.Port)
	}
	return hosts, ports
}

// settings picks the kept settings out of a connection string of either form.
func settings(dsn string) url.Values {
	found := url.Values{}
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		_, query, _ := strings.Cut(dsn, "?")
		if values, err := url.ParseQuery(query); err == nil {
			for _, name := range kept {
				if values.Has(name) {
					found.Set(name, values.Get(name))
				}
			}
		}
		return found
	}
	for _, m := range keyword.FindAllStringSubmatch(dsn, -1) {
		if slices.Contains(kept, m[1]) {
			found.Set(m[1], strings.Trim(m[2], "'"))
		}
	}
	return found
}
