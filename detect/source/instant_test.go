package source

import (
	"testing"
	"time"
)

func TestParseInstant(t *testing.T) {
	for _, c := range []struct {
		text   string
		want   string
		digits int
		zoned  bool
	}{
		{"2025-12-24T03:20:37.914Z", "2025-12-24T03:20:37.914Z", 3, true},
		{"2025-12-24t03:20:37z", "2025-12-24T03:20:37Z", 0, true},
		{" 2025-12-24 03:20:37.914 ", "2025-12-24T03:20:37.914Z", 3, false},
		{"2025-12-24 03:20:37.000", "2025-12-24T03:20:37Z", 3, false},
		{"2025-12-24 03:20:37,914", "2025-12-24T03:20:37.914Z", 3, false},
		{"2025-12-24 03:20:37.914567+00", "2025-12-24T03:20:37.914567Z", 6, true},
		{"2025-12-24 03:20:37+05:30", "2025-12-23T21:50:37Z", 0, true},
		{"2025-12-24 03:20:37-0800", "2025-12-24T11:20:37Z", 0, true},
		{"2025-12-24 03:20:37 -08:00", "2025-12-24T11:20:37Z", 0, true},
		{"1890-01-01 00:00:00+00:19:32", "1889-12-31T23:40:28Z", 0, true},
		{"2025-12-24 03:20:37.914 UTC", "2025-12-24T03:20:37.914Z", 3, true},
		{"2025-12-24T03:20Z", "2025-12-24T03:20:00Z", 0, true},
		{"2025-12-24 03:20", "2025-12-24T03:20:00Z", 0, false},
		{"2025-12-24", "2025-12-24T00:00:00Z", 0, false},
		{"20251224", "2025-12-24T00:00:00Z", 0, false},
		{"20251224032037", "2025-12-24T03:20:37Z", 0, false},
		{"20251224T032037Z", "2025-12-24T03:20:37Z", 0, true},
		{"2025-12-24T03:20:37.1234567891Z", "2025-12-24T03:20:37.123456789Z", 9, true},
		{"1766546437", "2025-12-24T03:20:37Z", 0, true},
		{"1766546437.914", "2025-12-24T03:20:37.914Z", 3, true},
		{"1766546437.0", "2025-12-24T03:20:37Z", 0, true},
		{"1766546437914", "2025-12-24T03:20:37.914Z", 3, true},
		{"1766546437914.0", "2025-12-24T03:20:37.914Z", 3, true},
		{"1766546437914.25", "2025-12-24T03:20:37.91425Z", 5, true},
		{"1.766546437914e+15", "2025-12-24T03:20:37.914Z", 6, true},
		{"1766546437914567", "2025-12-24T03:20:37.914567Z", 6, true},
		{"1766546437914567891", "2025-12-24T03:20:37.914567891Z", 9, true},
		{"1766546437.1234567891", "2025-12-24T03:20:37.123456789Z", 9, true},
		{"-1000000", "1969-12-20T10:13:20Z", 0, true},
		{"-1000000.25", "1969-12-20T10:13:19.75Z", 2, true},
		{"-1766546437914", "1914-01-08T20:39:22.086Z", 3, true},
		{"+1766546437", "2025-12-24T03:20:37Z", 0, true},
		{"99999999", "1973-03-03T09:46:39Z", 0, true}, // eight digits, but no date
	} {
		got, err := ParseInstant(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if at := got.Time.Format(time.RFC3339Nano); at != c.want || got.Digits != c.digits || got.Zoned != c.zoned {
			t.Errorf("%q is %s with %d digits, zoned %v; want %s, %d, %v", c.text, at, got.Digits, got.Zoned, c.want, c.digits, c.zoned)
		}
	}
}

func TestWhatIsNoTime(t *testing.T) {
	for _, text := range []string{
		"", " ", "infinity", "-infinity", "never", "0", "12345", "2025", "0000-00-00 00:00:00", "2025-02-30", "2025-13-01",
		"24/12/2025", "2025-12-24 25:00:00", "1766546437.", "17665464.37x", "-9223372036854775809", "9223372036854775808",
		"--1766546437", "-+1766546437", "1e9e9", "1766546437e-3", "1.7e400", "2025-12-24 03:20:37 CET", "0x1234567",
	} {
		if got, err := ParseInstant(text); err == nil {
			t.Errorf("%q was read as %v", text, got.Time)
		}
	}
}

func FuzzParseInstant(f *testing.F) {
	for _, s := range []string{
		"2025-12-24T03:20:37.914Z", "2025-12-24 03:20:37.914567+05:30", "1766546437914.0", "-1766546437.5", "-9223372036854775808",
		"9223372036854775807", "1.766546437914e+15", "20251224032037", "2025-12-24 03:20", "000000000000.1", "1e18",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := ParseInstant(text)
		if err != nil {
			return
		}
		if at.Time.Location() != time.UTC || at.Digits < 0 || at.Digits > 9 {
			t.Fatalf("%q: %v in %v with %d digits", text, at.Time, at.Time.Location(), at.Digits)
		}
		// What is written with the digits claimed says the same time again.
		if year := at.Time.Year(); year >= 0 && year <= 9999 {
			again, err := ParseInstant(at.Time.Format(time.RFC3339Nano))
			if err != nil || !again.Time.Equal(at.Time) {
				t.Fatalf("%q is %v, which reads back as %v, %v", text, at.Time, again.Time, err)
			}
		}
		if at.Time.Truncate(time.Second) != at.Time && at.Digits == 0 {
			t.Fatalf("%q is %v, but shows no digits", text, at.Time)
		}
	})
}
