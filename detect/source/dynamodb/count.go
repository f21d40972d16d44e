package dynamodb

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// Counter counts the items of one key in a table, without reading the table:
// by its partition key, or by that of one of its indexes.
type Counter struct {
	client *dynamodb.Client
	table  string
	// index is the index that an attribute is the partition key of, "" for the
	// table's own.
	index map[string]string
	kinds map[string]types.ScalarAttributeType
}

var _ source.Querier = (*Counter)(nil)

// OpenCounter learns the keys of the table. The errors are *key.Problem and
// hold no key of an account.
func OpenCounter(ctx context.Context, table string) (*Counter, error) {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, explain("reading the AWS settings", err)
	}
	c := &Counter{client: dynamodb.NewFromConfig(settings), table: table, index: map[string]string{}, kinds: map[string]types.ScalarAttributeType{}}
	described, err := c.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return nil, missing(ctx, c.client, table, err)
	}
	for _, a := range described.Table.AttributeDefinitions {
		c.kinds[aws.ToString(a.AttributeName)] = a.AttributeType
	}
	for _, index := range described.Table.GlobalSecondaryIndexes {
		c.index[partition(index.KeySchema)] = aws.ToString(index.IndexName)
	}
	c.index[partition(described.Table.KeySchema)] = ""
	return c, nil
}

func partition(schema []types.KeySchemaElement) string {
	for _, k := range schema {
		if k.KeyType == types.KeyTypeHash {
			return aws.ToString(k.AttributeName)
		}
	}
	return ""
}

// counting is the one statement that DynamoDB can answer without a scan. It
// has no count of its own in PartiQL, so this is written as for a database.
var counting = regexp.MustCompile(`(?is)^\s*select\s+count\s*\(\s*\*\s*\)\s+from\s+"?([\w.-]+)"?\s+where\s+"?([\w.-]+)"?\s*=\s*\?\s*;?\s*$`)

// Query answers SELECT count(*) FROM table WHERE attribute = ?, where the
// attribute is the partition key of the table, read consistently, or of an index.
func (c *Counter) Query(ctx context.Context, sql string, args []string) ([][]source.Value, error) {
	asked := counting.FindStringSubmatch(sql)
	wrong := &key.Problem{Code: key.CodeUnsupported, Hint: fmt.Sprintf("write it as SELECT count(*) FROM %s WHERE ATTRIBUTE = ?, with one argument", c.table)}
	if asked == nil || len(args) != 1 {
		wrong.Message = "DynamoDB counts the items of one key, and no more"
		return nil, wrong
	}
	index, known := c.index[asked[2]]
	switch {
	case asked[1] != c.table:
		wrong.Message = "the statement reads " + asked[1] + ", and its source is the table " + c.table
		return nil, wrong
	case !known:
		wrong.Message = asked[2] + " is the partition key neither of " + c.table + " nor of one of its indexes, so every item would have to be read"
		return nil, wrong
	}
	count, err := c.count(ctx, asked[2], index, args[0])
	if err != nil {
		return nil, explain("counting in the table "+c.table, err)
	}
	return [][]source.Value{{{Text: strconv.Itoa(count)}}}, nil
}

func (c *Counter) count(ctx context.Context, attribute, index, value string) (count int, err error) {
	var wanted types.AttributeValue = &types.AttributeValueMemberS{Value: value}
	if c.kinds[attribute] == types.ScalarAttributeTypeN {
		wanted = &types.AttributeValueMemberN{Value: value}
	}
	request := &dynamodb.QueryInput{
		TableName: &c.table, Select: types.SelectCount, KeyConditionExpression: aws.String("#k = :v"), ConsistentRead: aws.Bool(index == ""),
		ExpressionAttributeNames: map[string]string{"#k": attribute}, ExpressionAttributeValues: map[string]types.AttributeValue{":v": wanted},
	}
	if index != "" {
		request.IndexName = &index
	}
	pages := dynamodb.NewQueryPaginator(c.client, request)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		count += int(page.Count)
	}
	return count, nil
}
