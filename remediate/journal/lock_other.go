//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// lockFile is a lock that is a file, for systems without flock. After a crash
// it has to be removed by hand.
type lockFile string

// Close removes the lock.
func (l lockFile) Close() error { return os.Remove(string(l)) }

func lockDir(dir string) (io.Closer, error) {
	path := filepath.Join(dir, Name+".lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w, or ended in a crash and left %s", ErrBusy, path)
	}
	if err != nil {
		return nil, fmt.Errorf("locking the case: %w", err)
	}
	return lockFile(path), file.Close()
}
