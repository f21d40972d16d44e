package notify

import "strings"

// irregular words that tables are named by, plural to singular.
var irregular = map[string]string{
	"people": "person", "children": "child", "men": "man", "women": "woman",
	"movies": "movie", "cookies": "cookie", "caches": "cache", "axes": "axis",
	"quizzes": "quiz", "indices": "index", "vertices": "vertex", "matrices": "matrix",
	"analyses": "analysis", "leaves": "leaf", "shelves": "shelf", "knives": "knife",
	"lives": "life", "wives": "wife", "uses": "use", "statuses": "status",
}

// unchanging words end like plurals and are none, or are both.
var unchanging = map[string]bool{
	"series": true, "species": true, "news": true, "data": true, "media": true,
	"always": true, "gas": true, "atlas": true, "canvas": true, "alias": true, "bias": true,
}

// singular returns the singular of an English plural in lower case, and any
// other word as it is.
func singular(word string) string {
	if one, ok := irregular[word]; ok {
		return one
	}
	if unchanging[word] || len(word) < 4 {
		return word
	}
	switch {
	case hasSuffix(word, "ss", "us", "is"):
		return word
	case hasSuffix(word, "ies") && len(word) > 4:
		return word[:len(word)-3] + "y"
	case hasSuffix(word, "sses", "shes", "ches", "xes", "zzes"):
		return word[:len(word)-2]
	case hasSuffix(word, "uses") && !hasSuffix(word, "auses", "ouses"):
		return word[:len(word)-2]
	case hasSuffix(word, "s"):
		return word[:len(word)-1]
	}
	return word
}

// plural returns the plural of an English word or phrase.
func plural(phrase string) string {
	last := phrase[strings.LastIndexByte(phrase, ' ')+1:]
	before := phrase[:len(phrase)-len(last)]
	for many, one := range irregular {
		if one == last {
			return before + many
		}
	}
	n := len(last)
	switch {
	case unchanging[last]:
		return phrase
	case n > 1 && last[n-1] == 'y' && !strings.ContainsRune("aeiou", rune(last[n-2])):
		return phrase[:len(phrase)-1] + "ies"
	case hasSuffix(last, "s", "x", "z", "ch", "sh"):
		return phrase + "es"
	}
	return phrase + "s"
}

func hasSuffix(word string, suffixes ...string) bool {
	for _, s := range suffixes {
		if strings.HasSuffix(word, s) {
			return true
		}
	}
	return false
}
