package templates

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	texttemplate "text/template"
	"text/template/parse"
)

//go:embed mails
var mailFiles embed.FS

// The files that make a language.
const (
	subjectFile = "subject.txt"
	textFile    = "body.txt"
	htmlFile    = "body.html"
	wordsFile   = "words.txt"
)

// MailFiles are the files that make a language.
var MailFiles = []string{subjectFile, textFile, htmlFile, wordsFile}

// Mails are the templates of mails in one or more languages.
type Mails struct {
	languages map[string]*mailLanguage
}

type mailLanguage struct {
	text  *texttemplate.Template
	html  *htmltemplate.Template
	words *MailWords
}

// BuiltinMails are the templates that the program has in itself.
var BuiltinMails = sync.OnceValues(func() (*Mails, error) {
	sources, err := builtinSources()
	if err != nil {
		return nil, err
	}
	return parseMails(sources)
})

// LoadMails puts the templates of a folder over the built-in ones: files in it
// are for the standard language, those in a folder of it named by a language,
// as "fr", for that one. A file that is not there is the built-in one of the
// language. Each template is checked field by field and tried on mails of every
// kind before it is used; the error is a *MailTemplateError.
func LoadMails(dir fs.FS, standard string) (*Mails, error) {
	sources, err := builtinSources()
	if err != nil {
		return nil, err
	}
	found, err := overlay(sources, dir, standard)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &MailTemplateError{"the folder of templates", "it holds none of " + strings.Join(MailFiles, ", ")}
	}
	return parseMails(sources)
}

// sources are texts by language and file.
type sources map[string]map[string]string

func builtinSources() (sources, error) {
	all := sources{}
	languages, err := fs.ReadDir(mailFiles, "mails")
	if err != nil {
		return nil, err
	}
	for _, language := range languages {
		if !language.IsDir() {
			continue
		}
		all[language.Name()] = map[string]string{}
		for _, file := range MailFiles {
			raw, err := fs.ReadFile(mailFiles, path.Join("mails", language.Name(), file))
			if err != nil {
				return nil, err
			}
			all[language.Name()][file] = string(raw)
		}
	}
	return all, nil
}

var languageName = regexp.MustCompile(`^[a-z]{2,3}$`)

// overlay reads a person's files over the built-in ones. A name that is almost
// that of a template is an error: it would else have no effect, unseen.
func overlay(all sources, dir fs.FS, standard string) (found bool, err error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return false, &MailTemplateError{"the folder of templates", err.Error()}
	}
	// Files before folders: what is said of a language by name counts more.
	slices.SortStableFunc(entries, func(a, b fs.DirEntry) int {
		return map[bool]int{false: 0, true: 1}[a.IsDir()] - map[bool]int{false: 0, true: 1}[b.IsDir()]
	})
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, "."):
		case entry.IsDir() && languageName.MatchString(name):
			below, err := fs.ReadDir(dir, name)
			if err != nil {
				return false, &MailTemplateError{name, err.Error()}
			}
			for _, file := range below {
				took, err := takeFile(all, dir, name, path.Join(name, file.Name()))
				if err != nil {
					return false, err
				}
				found = found || took
			}
		case entry.IsDir():
			return false, &MailTemplateError{name, "a folder of templates is named by a language in two or three small letters, as de"}
		default:
			took, err := takeFile(all, dir, standard, name)
			if err != nil {
				return false, err
			}
			found = found || took
		}
	}
	return found, nil
}

// maxTemplate is the longest template that is read, in bytes.
const maxTemplate = 1 << 20

func takeFile(all sources, dir fs.FS, language, file string) (bool, error) {
	base := path.Base(file)
	if !slices.Contains(MailFiles, base) {
		if extension := path.Ext(base); strings.HasPrefix(base, ".") || extension != ".txt" && extension != ".html" && extension != ".tmpl" {
			return false, nil
		}
		return false, &MailTemplateError{file, "it is no template that is used; there are " + strings.Join(MailFiles, ", ")}
	}
	raw, err := fs.ReadFile(dir, file)
	if err != nil {
		return false, &MailTemplateError{file, err.Error()}
	}
	if len(raw) > maxTemplate {
		return false, &MailTemplateError{file, "it is longer than a megabyte"}
	}
	if all[language] == nil {
		all[language] = map[string]string{}
	}
	all[language][base] = strings.TrimPrefix(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\ufeff")
	return true, nil
}

func parseMails(all sources) (*Mails, error) {
	mails := &Mails{languages: map[string]*mailLanguage{}}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		files := all[name]
		for _, file := range MailFiles {
			if _, ok := files[file]; !ok {
				return nil, &MailTemplateError{path.Join(name, file), "it is missing, and there is none built in for that language"}
			}
		}
		language, err := parseLanguage(name, files)
		if err != nil {
			return nil, err
		}
		mails.languages[name] = language
	}
	return mails, mails.try()
}

func parseLanguage(name string, files map[string]string) (*mailLanguage, error) {
	l := &mailLanguage{text: texttemplate.New(name), html: htmltemplate.New(name)}
	for _, file := range []string{subjectFile, textFile} {
		if _, err := l.text.New(name + "/" + file).Parse(files[file]); err != nil {
			return nil, parseFault(err)
		}
	}
	if _, err := l.html.New(name + "/" + htmlFile).Parse(files[htmlFile]); err != nil {
		return nil, parseFault(err)
	}
	words, err := texttemplate.New(name + "/" + wordsFile).Parse(files[wordsFile])
	if err != nil {
		return nil, parseFault(err)
	}
	l.words = &MailWords{words}
	return l, l.check(name)
}

// parseFault takes what the library says before the place off its error.
func parseFault(err error) error {
	where, why, _ := strings.Cut(strings.TrimPrefix(err.Error(), "template: "), ": ")
	return &MailTemplateError{where, why}
}

// check follows all fields, also those in branches that are never taken today.
func (l *mailLanguage) check(name string) error {
	trees := map[string]*parse.Tree{}
	for _, t := range l.text.Templates() {
		trees[t.Name()] = t.Tree
	}
	for _, file := range []string{subjectFile, textFile} {
		if err := checkTemplate(trees, name+"/"+file, reflect.TypeFor[Mail](), map[string]bool{}); err != nil {
			return err
		}
	}
	trees = map[string]*parse.Tree{}
	for _, t := range l.html.Templates() {
		trees[t.Name()] = t.Tree
	}
	if err := checkTemplate(trees, name+"/"+htmlFile, reflect.TypeFor[Mail](), map[string]bool{}); err != nil {
		return err
	}
	trees = map[string]*parse.Tree{}
	for _, t := range l.words.templates.Templates() {
		trees[t.Name()] = t.Tree
	}
	for _, word := range slices.Sorted(maps.Keys(wordData)) {
		if trees[word] == nil {
			return &MailTemplateError{name + "/" + wordsFile, fmt.Sprintf("{{define %q}} is missing", word)}
		}
		if err := checkTemplate(trees, word, reflect.TypeOf(wordData[word]), map[string]bool{}); err != nil {
			return err
		}
	}
	return nil
}

// Languages lists the languages there are templates for, sorted.
func (m *Mails) Languages() []string {
	return slices.Sorted(maps.Keys(m.languages))
}

// Words are those of a language, nil where there are none.
func (m *Mails) Words(language string) *MailWords {
	if l := m.languages[language]; l != nil {
		return l.words
	}
	return nil
}

// Fill makes the subject, in one line, and the two parts of a mail, their lines
// ending with "\n", in the language that the fields name.
func (m *Mails) Fill(fields Mail) (subject, text, html string, err error) {
	if subject, text, err = m.FillText(fields); err != nil {
		return "", "", "", err
	}
	var b strings.Builder
	if err := m.languages[fields.Language].html.ExecuteTemplate(&b, fields.Language+"/"+htmlFile, fields); err != nil {
		return "", "", "", parseFault(err)
	}
	return subject, text, b.String(), nil
}

// FillText is Fill without the HTML part.
func (m *Mails) FillText(fields Mail) (subject, text string, err error) {
	l := m.languages[fields.Language]
	if l == nil {
		return "", "", errors.New("there are no templates for the language " + fields.Language)
	}
	var b strings.Builder
	if err := l.text.ExecuteTemplate(&b, fields.Language+"/"+subjectFile, fields); err != nil {
		return "", "", parseFault(err)
	}
	subject = strings.Join(strings.Fields(b.String()), " ")
	b.Reset()
	if err := l.text.ExecuteTemplate(&b, fields.Language+"/"+textFile, fields); err != nil {
		return "", "", parseFault(err)
	}
	return subject, b.String(), nil
}
