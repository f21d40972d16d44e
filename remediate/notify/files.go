package notify

import (
	"os"
	"path/filepath"
	"sync"
)

// fileWriter writes small files beside the work that makes them: opening ten
// thousand files takes as long as filling them.
type fileWriter struct {
	dir   string
	queue chan smallFile
	done  sync.WaitGroup
	once  sync.Once

	mu    sync.Mutex
	first error
}

type smallFile struct {
	name string
	raw  []byte
}

const fileWriters = 4

func newFileWriter(dir string) *fileWriter {
	w := &fileWriter{dir: dir, queue: make(chan smallFile, 4*fileWriters)}
	for range fileWriters {
		w.done.Go(func() {
			for f := range w.queue {
				if err := os.WriteFile(filepath.Join(w.dir, f.name), f.raw, 0o600); err != nil {
					w.fail(err)
				}
			}
		})
	}
	return w
}

// write hands a file over; raw must not change after that. An error comes with close.
func (w *fileWriter) write(name string, raw []byte) { w.queue <- smallFile{name, raw} }

func (w *fileWriter) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.first == nil {
		w.first = err
	}
}

// close waits until all is written and returns the first error; it may be
// called again.
func (w *fileWriter) close() error {
	w.once.Do(func() { close(w.queue) })
	w.done.Wait()
	return w.first
}
