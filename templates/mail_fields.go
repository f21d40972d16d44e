package templates

import (
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// PrintMailFields writes all that a template of a mail may use, one a line, and
// what the definitions of words.txt are given.
func PrintMailFields(w io.Writer) error {
	p := &fieldPrinter{w: w}
	p.line("subject.txt, body.txt and body.html are Go templates and are given:")
	p.structure("", reflect.TypeFor[Mail]())
	p.line("")
	p.line("words.txt makes the words that stand in those fields; it defines, and is given:")
	for _, name := range slices.Sorted(maps.Keys(wordData)) {
		kind := reflect.TypeOf(wordData[name])
		p.line("  {{define %q}}", name)
		for _, f := range reflect.VisibleFields(kind) {
			if kind != reflect.TypeFor[MailNumber]() || name == "place" || name == "times" {
				p.field("    ."+f.Name, plainType(f.Type), f.Tag.Get("doc"))
			}
		}
	}
	return p.err
}

type fieldPrinter struct {
	w   io.Writer
	err error
}

func (p *fieldPrinter) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *fieldPrinter) field(path, kind, doc string) {
	p.line("%-32s %-7s %s", path, kind, doc)
}

// structure prints the fields of a structure and of those within it.
func (p *fieldPrinter) structure(prefix string, kind reflect.Type) {
	for _, f := range reflect.VisibleFields(kind) {
		p.field("  "+prefix+"."+f.Name, plainType(f.Type), f.Tag.Get("doc"))
		switch {
		case f.Type.Kind() == reflect.Struct:
			p.structure(prefix+"."+f.Name, f.Type)
		case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct:
			p.structure(prefix+"."+f.Name+"[]", f.Type.Elem())
		}
	}
	for m := range kind.Methods() {
		p.field("  "+prefix+"."+m.Name, plainType(m.Type.Out(0)), methodDocs[m.Name])
	}
}

// plainType is the word for a type that a person who writes templates knows.
func plainType(kind reflect.Type) string {
	switch kind.Kind() {
	case reflect.Slice:
		return "list"
	case reflect.Pointer, reflect.Struct:
		return "group"
	case reflect.Bool:
		return "yes/no"
	case reflect.Int, reflect.Int64:
		return "number"
	}
	return strings.ReplaceAll(kind.Kind().String(), "string", "text")
}
