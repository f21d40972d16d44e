package pgserver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Bin returns the path of one of Postgres's own programs, as "psql" or
// "pg_dump": from $TWINROW_PG_BIN, the highest version below
// /usr/lib/postgresql, or $PATH. It returns "" where there is none.
func Bin(name string) string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	if own := os.Getenv("TWINROW_PG_BIN"); own != "" {
		dirs = slices.Insert(dirs, 0, own)
	}
	for _, dir := range dirs {
		path, err := exec.LookPath(filepath.Join(dir, name))
		if err == nil {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	// postgres is looked for beside initdb, not beside a link to it.
	if target, err := filepath.EvalSymlinks(path); err == nil && filepath.Base(target) == name {
		return target
	}
	return path
}

// version reads the 15 of /usr/lib/postgresql/15/bin.
func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

// credential is the account that runs the server; nil means our own.
type credential struct{ id *syscall.Credential }

// account picks our own account, or another one where we are root, whom
// Postgres refuses.
func account() (credential, error) {
	if os.Geteuid() != 0 {
		return credential{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return credential{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
		}
	}
	return credential{}, fmt.Errorf("we are root, whom Postgres refuses, and there is no account postgres or nobody; hint: run the tests as another user")
}

// command prepares a program to run as the account, in dir, with nothing of
// our environment that would reach another server.
func (c credential) command(dir, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LD_LIBRARY_PATH=" + os.Getenv("LD_LIBRARY_PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.id}
	return cmd
}

// workDir makes the server's directory, owned by the account. The usual
// temporary directory is left for /tmp where the path would be too long for a
// socket (107 bytes) or the account could not reach it.
func workDir(c credential) (string, error) {
	base := os.TempDir()
	if len(base) > 60 || (c.id != nil && !traversable(base)) {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, "twinrow-pg")
	if err != nil {
		return "", fmt.Errorf("making the server's directory: %w", err)
	}
	if c.id != nil {
		if err := os.Chown(dir, int(c.id.Uid), int(c.id.Gid)); err != nil {
			return "", fmt.Errorf("giving the server its directory: %w", err)
		}
	}
	return dir, nil
}

// traversable tells whether any account may pass through path and its parents.
func traversable(path string) bool {
	for ; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("configuring the server: %w", err)
	}
	if _, err := f.WriteString(text); err != nil {
		_ = f.Close()
		return fmt.Errorf("configuring the server: %w", err)
	}
	return f.Close()
}

// quote writes a value as postgresql.conf wants it.
func quote(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }
