//go:build contract

package dynamodb

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest"
)

// server is a dynalite on loopback that ends with the test.
func server(t *testing.T) *dynamodb.Client {
	t.Helper()
	program := os.Getenv("TWINROW_DYNALITE")
	if program == "" {
		t.Fatal("TWINROW_DYNALITE names no program; run `make contract-dynamodb`")
	}
	port := freePort(t)
	command := exec.CommandContext(t.Context(), program, "--port", port, "--host", "127.0.0.1", "--createTableMs", "0", "--deleteTableMs", "0")
	out, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, "istening") {
		t.Fatalf("dynalite says %q, %v", line, err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:" + port, "AWS_REGION": "eu-central-1",
		"AWS_ACCESS_KEY_ID": "example", "AWS_SECRET_ACCESS_KEY": "example-secret", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	settings, err := config.LoadDefaultConfig(t.Context())
	must(t, err)
	return dynamodb.NewFromConfig(settings)
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// make makes an empty table with a numeric primary key.
func makeTable(t *testing.T, client *dynamodb.Client, table, id string) {
	t.Helper()
	_, _ = client.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &table})
	time.Sleep(20 * time.Millisecond)
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &id, AttributeType: types.ScalarAttributeTypeN}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: &id, KeyType: types.KeyTypeHash}},
	})
	must(t, err)
	must(t, dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond }).
		Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &table}, time.Minute))
}

// put writes rows of a dataset, 25 a request.
func put(t *testing.T, client *dynamodb.Client, d sourcetest.Dataset, rows [][]*string) {
	t.Helper()
	var requests []types.WriteRequest
	flush := func() {
		_, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{d.Table: requests}})
		must(t, err)
		requests = nil
	}
	for n, row := range rows {
		item := map[string]types.AttributeValue{}
		for i, v := range row {
			switch {
			case v == nil && n%2 == 0:
				item[d.Columns[i].Name] = &types.AttributeValueMemberNULL{Value: true}
			case v == nil: // left out
			case d.Columns[i].Kind == sourcetest.Integer:
				item[d.Columns[i].Name] = &types.AttributeValueMemberN{Value: *v}
			default:
				item[d.Columns[i].Name] = &types.AttributeValueMemberS{Value: *v}
			}
		}
		if requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}); len(requests) == 25 {
			flush()
		}
	}
	if len(requests) > 0 {
		flush()
	}
}

func TestContractConformance(t *testing.T) {
	client := server(t)
	sourcetest.Run(t, sourcetest.Adapter{
		Engine: "dynamodb", ImagePrefix: "sha256:", NoSQL: true, NeverUnique: true, NoOrder: true,
		Open: func(t *testing.T, d sourcetest.Dataset) (source.Source, string) {
			makeTable(t, client, d.Table, d.PrimaryKey[0])
			put(t, client, d, d.Rows)
			src, err := Open(t.Context(), d.Table, Options{Segments: 3})
			must(t, err)
			return src, d.Table
		},
		Append: func(t *testing.T, d sourcetest.Dataset, rows [][]*string) { put(t, client, d, rows) },
	})
}

// TestContractEquality lets the server store what it calls equal.
func TestContractEquality(t *testing.T) {
	client := server(t)
	makeTable(t, client, "things", "id")
	for i, v := range []types.AttributeValue{
		&types.AttributeValueMemberN{Value: "1"}, &types.AttributeValueMemberN{Value: "1.0"}, &types.AttributeValueMemberS{Value: "1"},
		&types.AttributeValueMemberSS{Value: []string{"a", "b"}}, &types.AttributeValueMemberSS{Value: []string{"b", "a"}},
		&types.AttributeValueMemberB{Value: []byte("1")}, &types.AttributeValueMemberBOOL{Value: true}, &types.AttributeValueMemberNULL{Value: true},
		&types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "1"}}},
		&types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "1.00"}}},
		&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"x": &types.AttributeValueMemberS{Value: "1"}}},
		&types.AttributeValueMemberNS{Value: []string{"1", "2"}}, &types.AttributeValueMemberNS{Value: []string{"2.0", "1e0"}},
		&types.AttributeValueMemberBS{Value: [][]byte{[]byte("x"), []byte("y")}},
	} {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("things"), Item: map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberN{Value: strconv.Itoa(i)}, "v": v,
		}})
		must(t, err)
	}
	src, err := Open(t.Context(), "things", Options{})
	must(t, err)
	defer src.Close()
	table, err := src.Inspect(t.Context(), source.Request{Key: []string{"v"}})
	must(t, err)
	var locators []uint64
	_, err = src.Prints(t.Context(), table, source.Pass{}, func(prints []source.Print) error {
		for _, p := range prints {
			locators = append(locators, p.Locator)
		}
		return nil
	})
	must(t, err)
	groups := map[int]string{}
	must(t, src.Fetch(t.Context(), table, locators, func(r source.Row) error {
		groups[r.Group] += r.ID[0].Text + "=" + r.Key[0].Text + " "
		return nil
	}))
	found := map[string]bool{}
	for _, g := range groups {
		found[g] = true
	}
	// The server prints 1.0 as 1, and gives a hash key no order: both orders are right.
	for _, want := range [][2]string{{"0=1 1=1 ", "1=1 0=1 "}, {`3=["a","b"] 4=["a","b"] `, `4=["a","b"] 3=["a","b"] `}, {"8=[1] 9=[1] ", "9=[1] 8=[1] "}, {"11=[1,2] 12=[1,2] ", "12=[1,2] 11=[1,2] "}} {
		if !found[want[0]] && !found[want[1]] {
			t.Errorf("no group %s in %v", want[0], found)
		}
	}
	if len(found) != 4 {
		t.Errorf("%d groups, want 4: %v", len(found), found)
	}
}

// TestContractTold hears how large the table is before it is read, and may
// refuse that; what is read is held to a pace.
func TestContractTold(t *testing.T) {
	client := server(t)
	makeTable(t, client, "tickets", "id")
	data := sourcetest.Dataset{Table: "tickets", Columns: []sourcetest.Column{{Name: "id", Kind: sourcetest.Integer}, {Name: "v", Kind: sourcetest.Text}}}
	for n := range 50 {
		data.Rows = append(data.Rows, []*string{new(strconv.Itoa(n)), new(strings.Repeat("x", 400))})
	}
	put(t, client, data, data.Rows)
	refusal := &key.Problem{Code: key.CodeRefused, Message: "too much", Hint: "--yes"}
	told := int64(-1)
	_, err := Open(t.Context(), "tickets", Options{Before: func(items, _ int64) error { told = items; return refusal }})
	wantProblem(t, err, key.CodeRefused, "--yes")
	if told < 0 {
		t.Error("nobody was told before")
	}
	start := time.Now()
	src, err := Open(t.Context(), "tickets", Options{Segments: 2, Pace: source.NewPace(40_000)})
	must(t, err)
	must(t, src.Close())
	if took := time.Since(start); took < 300*time.Millisecond {
		t.Errorf("20 kB at 40 kB a second took %s", took)
	}
}

func TestContractProblems(t *testing.T) {
	client := server(t)
	makeTable(t, client, "tickets", "id")
	_, err := Open(t.Context(), "tickts", Options{})
	wantProblem(t, err, key.CodeNotFound, "did you mean tickets?")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(cancelled, "tickets", Options{}); err == nil {
		t.Error("a cancelled scan went through")
	}
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	_, err = Open(t.Context(), "tickets", Options{})
	wantProblem(t, err, key.CodeConnection, "AWS_ENDPOINT_URL_DYNAMODB")
	if diff := cmp.Diff(false, strings.Contains(err.Error(), "example-secret")); diff != "" {
		t.Error("the secret is told")
	}
}

func wantProblem(t *testing.T, err error, code, hint string) {
	t.Helper()
	problem, ok := err.(*key.Problem) //nolint:errorlint // it is not wrapped
	if !ok || problem.Code != code || !strings.Contains(problem.Hint, hint) {
		t.Errorf("%v, want %s and the hint %q", err, code, hint)
	}
}

// The items of one key are counted, past a page's megabyte too, by the table's
// partition key and by an index; anything else is refused before it costs.
func TestContractCounts(t *testing.T) {
	client, table := server(t), "processed"
	attribute := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
	}
	keys := func(hash, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{{AttributeName: &hash, KeyType: types.KeyTypeHash}, {AttributeName: &sort, KeyType: types.KeyTypeRange}}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest, KeySchema: keys("message_id", "attempt"),
		AttributeDefinitions:   []types.AttributeDefinition{attribute("message_id", "S"), attribute("attempt", "N")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String("by_attempt"), KeySchema: keys("attempt", "message_id"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}}},
	})
	must(t, err)
	for n := range 5 {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
			"message_id": &types.AttributeValueMemberS{Value: "wamid.1"}, "attempt": &types.AttributeValueMemberN{Value: strconv.Itoa(n)},
			"body": &types.AttributeValueMemberS{Value: strings.Repeat("x", 300_000)},
		}})
		must(t, err)
	}
	counter, err := OpenCounter(t.Context(), table)
	must(t, err)
	for _, c := range []struct{ sql, arg, want string }{
		{"SELECT count(*) FROM processed WHERE message_id = ?", "wamid.1", "5"},
		{`select COUNT( * ) from "processed" where "message_id"=?;`, "wamid.2", "0"},
		{"SELECT count(*) FROM processed WHERE attempt = ?", "3", "1"},
	} {
		rows, err := counter.Query(t.Context(), c.sql, []string{c.arg})
		must(t, err)
		if rows[0][0].Text != c.want {
			t.Errorf("%s: %s, want %s", c.sql, rows[0][0].Text, c.want)
		}
	}
	for _, sql := range []string{"DELETE FROM processed", "SELECT count(*) FROM other WHERE message_id = ?", "SELECT count(*) FROM processed WHERE body = ?"} {
		if _, err := counter.Query(t.Context(), sql, []string{"x"}); err == nil {
			t.Errorf("%s was answered", sql)
		}
	}
	_, err = OpenCounter(t.Context(), "procesed")
	if problem, ok := errors.AsType[*key.Problem](err); !ok || problem.Code != key.CodeNotFound {
		t.Errorf("a table that is not there: %v", err)
	}
}
