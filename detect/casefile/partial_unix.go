//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package casefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"twinrow/detect/key"
)

// makePartial makes the hidden directory in which a case grows, and locks it for
// as long as what is returned is open. What a run that was killed left there is
// taken away; where another run writes the same case it is refused.
func makePartial(dir string) (string, io.Closer, error) {
	path := filepath.Join(filepath.Dir(filepath.Clean(dir)), "."+filepath.Base(dir)+".partial")
	for {
		if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", nil, err
		}
		lock, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another run has just ended
		} else if err != nil {
			return "", nil, err
		}
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			if errors.Is(err, syscall.EWOULDBLOCK) {
				err = &Problem{Code: key.CodeBusy, Message: "another run is writing the case " + dir, Hint: "wait until it has ended, or name another directory with --case"}
			}
			return "", nil, errors.Join(err, lock.Close())
		}
		if stillThere(lock, path) {
			return path, partialLock{lock}, emptied(path)
		}
		if err := lock.Close(); err != nil {
			return "", nil, err
		}
	}
}

// stillThere tells whether a directory that was opened is the one at a path.
func stillThere(opened *os.File, path string) bool {
	a, errA := opened.Stat()
	b, errB := os.Lstat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

func emptied(path string) error {
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(path, e.Name())))
	}
	return err
}

// partialLock is the locked directory.
type partialLock struct{ dir *os.File }

// Close unlocks before it closes: a child process that was just forked may
// still hold the directory open, and would keep the lock.
func (l partialLock) Close() error {
	return errors.Join(syscall.Flock(int(l.dir.Fd()), syscall.LOCK_UN), l.dir.Close())
}
