package probe

import (
	"fmt"
	"io"
	"os"
	"regexp"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/overlap"
)

// logRead is how much of a log is read of one round, in bytes.
const logRead = 16 << 20

func (t *serverTimes) checkLog() error {
	file, err := os.Open(t.log)
	if err != nil {
		return &casefile.Problem{Code: casefile.CodeNotFound, Message: t.where + ": reading the target's log", Hint: "log is a file that can be read", Err: err}
	}
	return file.Close()
}

// logged is the length of the target's log, so that only what a round adds is
// searched.
func (r *runner) logged() int64 {
	if r.spec.times == nil || r.spec.times.log == "" {
		return 0
	}
	info, err := os.Stat(r.spec.times.log)
	if err != nil {
		return 0
	}
	return info.Size()
}

// logTimes looks for the lines of each request in what the log has gained.
func (r *runner) logTimes(v *volley, round []overlap.Request, from int64) error {
	added, err := r.spec.times.added(from)
	if err != nil {
		return err
	}
	for i := range round {
		if round[i].Told {
			continue
		}
		c := &v.cells[v.of[i]]
		data := c.moment.data(c.vars)
		began, err := r.spec.times.find(&r.spec.times.began, data, added)
		if err != nil || began == "" {
			return err
		}
		if !r.spec.times.ended.given() {
			round[i].Work, round[i].Told = r.span(began)
		} else {
			ended, err := r.spec.times.find(&r.spec.times.ended, data, added)
			if err != nil || ended == "" {
				return err
			}
			round[i].Work, round[i].Told = r.work2(began, ended)
		}
		if !round[i].Told {
			return problem(r.spec.times.where, "what the expression finds in the log is no time: %s", clip(began, 40))
		}
	}
	return nil
}

// added is what the log has gained since it had a length; a log that became
// shorter was begun anew.
func (t *serverTimes) added(from int64) ([]byte, error) {
	file, err := os.Open(t.log)
	if err != nil {
		return nil, &casefile.Problem{Code: casefile.CodeNotFound, Message: t.where + ": reading the target's log", Hint: "log is a file that can be read", Err: err}
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() < from {
		from = 0
	}
	content, err := io.ReadAll(io.NewSectionReader(file, from, logRead))
	if err != nil {
		return nil, fmt.Errorf("reading the target's log: %w", err)
	}
	return content, nil
}

// find fills an expression in, with values as plain text, and returns its
// group of the first match; "" where there is none yet.
func (t *serverTimes) find(pattern *source, data map[string]any, text []byte) (string, error) {
	for name, value := range data {
		if s, ok := value.(string); ok {
			data[name] = regexp.QuoteMeta(s)
		}
	}
	filled, err := pattern.render(data)
	if err != nil {
		return "", err
	}
	expression, err := regexp.Compile(filled)
	if err != nil || expression.NumSubexp() != 1 {
		return "", problem(pattern.where, "a regular expression with one group, the time, is needed: %s", clip(pattern.raw, 60))
	}
	if found := expression.FindSubmatch(text); found != nil {
		return string(found[1]), nil
	}
	return "", nil
}
