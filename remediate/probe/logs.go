package probe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/goccy/go-yaml/ast"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/expect"
)

// logCheck is an expectation on the lines that a file gains during the run.
type logCheck struct {
	name, file string
	match      *regexp.Regexp
	count      expect.Count
	where      string
}

// maxLogBytes is how much of a file's new lines is read at most.
const maxLogBytes = 1 << 30

func (r *reader) logCheck(node ast.Node, number int) logCheck {
	c := logCheck{name: fmt.Sprintf("log %d", number), where: r.Where(node)}
	by := map[string]func(ast.Node){
		"name": func(n ast.Node) { c.name = r.Text(n) },
		"file": func(n ast.Node) { c.file = r.Text(n) },
		"match": func(n ast.Node) {
			var err error
			if c.match, err = regexp.Compile(r.Text(n)); err != nil {
				r.Fail(n, "that is no regular expression: %v", err)
			}
		},
	}
	r.counted(by, &c.count)
	r.Fields(node, by)
	r.check(node, c.count)
	if r.Err == nil && (c.file == "" || c.match == nil) {
		r.Fail(node, "file and match are needed, as in {file: app.log, match: \"duplicate|race|conflict\", exactly: 0}")
	}
	return c
}

// logWatch is a log file from the place where its end was before the run.
type logWatch struct {
	check *logCheck
	from  int64
	file  os.FileInfo
	lines int64
	err   error
}

// watchLogs remembers where the files end now. A file that is not there yet
// may come to be.
func (r *runner) watchLogs() error {
	for _, c := range r.spec.logChecks() {
		w := &logWatch{check: c}
		info, err := os.Stat(c.file)
		switch {
		case err == nil && info.IsDir():
			return problem(c.where, "%s is a directory; name the log's file", c.file)
		case err == nil:
			w.from, w.file = info.Size(), info
		case !errors.Is(err, os.ErrNotExist):
			return &casefile.Problem{Code: casefile.CodePermission, Message: c.where + ": reading the log", Hint: "name a file that can be read", Err: err}
		}
		r.logWatches = append(r.logWatches, w)
	}
	return nil
}

// readLogs counts the lines that were added since. A file that is another now,
// or shorter, was rotated: it is read from its beginning.
func (r *runner) readLogs() {
	for _, w := range r.logWatches {
		w.lines, w.err = w.count()
	}
}

func (w *logWatch) count() (int64, error) {
	file, err := os.Open(w.check.file)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if w.file != nil && os.SameFile(w.file, info) && info.Size() >= w.from {
		if _, err := file.Seek(w.from, io.SeekStart); err != nil {
			return 0, err
		}
	}
	n := int64(0)
	reader := bufio.NewReaderSize(io.LimitReader(file, maxLogBytes), 64<<10)
	for {
		line, err := reader.ReadSlice('\n')
		if w.check.match.Match(line) {
			n++
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a very long line is the same line
			_, err = reader.ReadSlice('\n')
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

func (s *Spec) logChecks() []*logCheck {
	var all []*logCheck
	for _, st := range s.judged() {
		for i := range st.logs {
			all = append(all, &st.logs[i])
		}
	}
	return all
}

// judged are all steps and, where there are several, what is expected of the whole.
func (s *Spec) judged() []*step {
	all := append([]*step(nil), s.steps...)
	if s.whole.expects() {
		all = append(all, &s.whole)
	}
	return all
}

func (r *runner) judgeLog(j *judgement, w *logWatch) Expectation {
	out := Expectation{Name: w.check.name, Want: w.check.count.String() + " lines of the log in the run", Got: fmt.Sprint(w.lines)}
	if w.err != nil {
		out.Got = "the log could not be read"
		j.unknowns = append(j.unknowns, w.check.name+": the log "+w.check.file+" could not be read")
		return out
	}
	if out.OK = w.check.count.Of(w.lines) == expect.Right; !out.OK {
		j.wrongs = append(j.wrongs, fmt.Sprintf("%s: %s, expected %s", w.check.name, casefile.Count(int(w.lines), "line"), w.check.count))
	}
	return out
}
