package notify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"twinrow/detect/casefile"
)

// DefaultLanguage is that of mails where nobody says another.
const DefaultLanguage = "en"

// primaryLanguage is the language of a tag such as "de-AT" or "de_AT.UTF-8",
// in lower case.
func primaryLanguage(tag string) string {
	tag = strings.ToLower(strings.TrimSpace(tag))
	if end := strings.IndexAny(tag, "-_.@ "); end >= 0 {
		tag = tag[:end]
	}
	return tag
}

// checkLanguage makes sure that there are templates for the standard language,
// and that the column of languages is one of the case's.
func checkLanguage(opened *casefile.Opened, options *Options) error {
	if options.Language == "" {
		options.Language = DefaultLanguage
	}
	options.Language = primaryLanguage(options.Language)
	if options.Templates.Words(options.Language) == nil {
		return &Problem{Code: casefile.CodeNotFound, Message: fmt.Sprintf("there are no templates for the language %q", options.Language), Hint: "there are " + strings.Join(options.Templates.Languages(), ", ") + "; --templates DIR adds others"}
	}
	if options.LanguageColumn == "" {
		return nil
	}
	for i := range opened.Tables {
		if hasColumn(&opened.Tables[i], options.LanguageColumn) {
			return nil
		}
	}
	return noSuchColumn("--language-column", options.LanguageColumn, &opened.Tables[0])
}

// languageOf is the language of an entry's customer, "" where it says none that
// there are templates for.
func (c *collector) languageOf(made entry) string {
	language := primaryLanguage(value(made.keep, c.options.LanguageColumn))
	if language == "" || c.options.Templates.Words(language) != nil {
		return language
	}
	c.strange[cleanLine(language, 8)]++
	return ""
}

// settleLanguages gives the customers without a language the standard one and
// notes which languages had no templates.
func (c *collector) settleLanguages() (notes []string) {
	for _, to := range c.customers {
		if to.language == "" {
			to.language = c.options.Language
		}
	}
	for _, language := range slices.Sorted(maps.Keys(c.strange)) {
		notes = append(notes, fmt.Sprintf("%s %s of customers whose language is %q; without templates for it they are written to in %q", casefile.Count(c.strange[language], "group"), casefile.Verb(c.strange[language], "is", "are"), language, c.options.Language))
	}
	return notes
}
