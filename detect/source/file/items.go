package file

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/key"
)

// Items of DynamoDB, as the AWS command line prints them: each value is an
// object whose one name is its type, as {"N": "1"}.

// attribute is one value of an item.
type attribute struct {
	// text is the value as a person reads it: a string is itself, a number
	// keeps its digits, a set is sorted, what is nested is JSON without types.
	text string
	// plain is the same as JSON, for the value that holds it.
	plain string
	// equal is the same bytes for values that DynamoDB calls equal: the type
	// counts, the number 1 is 1.0, and a set has no order.
	equal []byte
	null  bool
}

var errAttribute = errors.New("no value of DynamoDB")

// readAttribute reads a value with its type.
func readAttribute(raw []byte) (attribute, error) {
	var typed map[string]json.RawMessage
	if err := json.Unmarshal(raw, &typed); err != nil || len(typed) != 1 {
		return attribute{}, errAttribute
	}
	for tag, value := range typed {
		switch tag {
		case "S", "N", "B":
			return readScalar(tag, value)
		case "BOOL":
			var b bool
			err := json.Unmarshal(value, &b)
			text := strconv.FormatBool(b)
			return attribute{text: text, plain: text, equal: []byte("BOOL" + text)}, err
		case "NULL":
			return attribute{null: true, plain: "null", equal: []byte("NULL")}, nil
		case "SS", "NS", "BS":
			return readSet(tag, value)
		case "L":
			return readNestedList(value)
		case "M":
			return readMap(value)
		}
	}
	return attribute{}, errAttribute
}

func readScalar(tag string, value json.RawMessage) (attribute, error) {
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return attribute{}, errAttribute
	}
	a := attribute{text: text, equal: []byte(tag + text)}
	switch tag {
	case "N":
		canonical, ok := canonicalNumber(text)
		if !ok {
			return attribute{}, errAttribute
		}
		a.plain, a.equal = text, []byte(tag+canonical)
		if !json.Valid([]byte(text)) { // as 00 and .5, which DynamoDB takes and JSON does not
			a.plain = canonical
		}
		return a, nil
	case "B":
		if _, err := base64.StdEncoding.Strict().DecodeString(text); err != nil {
			return attribute{}, errAttribute
		}
	}
	a.plain = quoted(text)
	return a, nil
}

func quoted(text string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string can always be written, and so can a buffer
	return strings.TrimSuffix(b.String(), "\n")
}

// readSet reads a set: its members have one type and no order.
func readSet(tag string, value json.RawMessage) (attribute, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(value, &raw); err != nil {
		return attribute{}, errAttribute
	}
	members := make([]attribute, len(raw))
	for i, r := range raw {
		var err error
		if members[i], err = readScalar(tag[:1], r); err != nil {
			return attribute{}, err
		}
	}
	slices.SortFunc(members, func(a, b attribute) int { return bytes.Compare(a.equal, b.equal) })
	return joined(tag, members), nil
}

func readNestedList(value json.RawMessage) (attribute, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(value, &raw); err != nil {
		return attribute{}, errAttribute
	}
	members := make([]attribute, len(raw))
	for i, r := range raw {
		var err error
		if members[i], err = readAttribute(r); err != nil {
			return attribute{}, err
		}
	}
	return joined("L", members), nil
}

// joined makes one value of its members.
func joined(tag string, members []attribute) attribute {
	a := attribute{equal: []byte(tag)}
	plain := make([]string, len(members))
	for i, m := range members {
		plain[i] = m.plain
		a.equal = append(binary.AppendUvarint(a.equal, uint64(len(m.equal))), m.equal...)
	}
	a.plain = "[" + strings.Join(plain, ",") + "]"
	a.text = a.plain
	return a
}

func readMap(value json.RawMessage) (attribute, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(value, &raw); err != nil {
		return attribute{}, errAttribute
	}
	var members []attribute
	var plain []string
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		m, err := readAttribute(raw[name])
		if err != nil {
			return attribute{}, err
		}
		members = append(members, attribute{equal: []byte(name)}, m)
		plain = append(plain, quoted(name)+":"+m.plain)
	}
	a := joined("M", members)
	a.plain = "{" + strings.Join(plain, ",") + "}"
	a.text = a.plain
	return a, nil
}

// canonicalNumber writes equal numbers alike: all digits but the zeros at both
// ends, and the power of ten that they are of.
func canonicalNumber(text string) (string, bool) {
	sign, rest := "", text
	if negative, ok := strings.CutPrefix(text, "-"); ok {
		sign, rest = "-", negative
	}
	mantissa, exponent, scaled := strings.Cut(strings.ToLower(strings.TrimPrefix(rest, "+")), "e")
	power := 0
	if scaled {
		var err error
		if power, err = strconv.Atoi(exponent); err != nil || power > 1e6 || power < -1e6 {
			return "", false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	power -= len(fraction)
	digits = strings.TrimLeft(digits, "0")
	trimmed := strings.TrimRight(digits, "0")
	if trimmed == "" {
		return "0", true
	}
	return sign + trimmed + "e" + strconv.Itoa(power+len(digits)-len(trimmed)), true
}

// itemLines reads the pages that `aws dynamodb scan` prints, one after another,
// and writes a line for each of their items.
func itemLines(from io.Reader, to io.Writer) error {
	decoder := json.NewDecoder(from)
	for {
		opening, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || opening != json.Delim('{') {
			return errors.Join(errNoItems, err)
		}
		if err := pageLines(decoder, to); err != nil {
			return err
		}
	}
}

// errNoItems is what a JSON file is that holds no items.
var errNoItems = errors.New("it is not what `aws dynamodb scan` prints")

func pageLines(decoder *json.Decoder, to io.Writer) error {
	items := false
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		if name != "Items" {
			var other json.RawMessage
			if err := decoder.Decode(&other); err != nil {
				return err
			}
			continue
		}
		items = true
		if opening, err := decoder.Token(); err != nil || opening != json.Delim('[') {
			return errors.Join(errNoItems, err)
		}
		if err := eachItem(decoder, to); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return err
	}
	if !items {
		return errNoItems
	}
	return nil
}

func eachItem(decoder *json.Decoder, to io.Writer) error {
	var line bytes.Buffer
	for decoder.More() {
		var item json.RawMessage
		if err := decoder.Decode(&item); err != nil {
			return err
		}
		line.Reset()
		if err := json.Compact(&line, item); err != nil {
			return err
		}
		line.WriteByte('\n')
		if _, err := to.Write(line.Bytes()); err != nil {
			return err
		}
	}
	_, err := decoder.Token()
	return err
}

// pagesProblem says what is wrong with a JSON file.
func pagesProblem(name string, err error) error {
	return &key.Problem{Code: key.CodeBadInput, Message: name + " cannot be read as items of DynamoDB",
		Hint: "give what `aws dynamodb scan --output json` prints; other JSON is read as lines: jq -c '.[]' FILE > FILE.jsonl", Err: err}
}
