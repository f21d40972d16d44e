// Chat webhooks over real parts: DynamoDB's interface by dynalite, SQS's by
// local-aws-sqs, a web process, and two worker processes that are started again when
// they die. `chat.mjs vulnerable|fixed FOLDER` prints what a probe needs in its
// environment, a name and a value a line, and ends with its standard input.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import net from 'node:net'
import path from 'node:path'

const [role, folder] = process.argv.slice(2)
const fixed = (process.env.CHAT_FIXED ?? String(role === 'fixed')) === 'true'
// away is the time that a store in another place takes beside its work.
const away = 120
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

// The services look at who asks, but not at the signature.
async function call(url, service, target, input) {
  const answer = await fetch(url, {
    method: 'POST', body: JSON.stringify(input),
    headers: {
      'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target, 'x-amz-date': '20260101T000000Z',
      authorization: `AWS4-HMAC-SHA256 Credential=example/20260101/eu-central-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
    },
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(JSON.parse(text).__type)
  return text ? JSON.parse(text) : {}
}

const store = (action, input) => call(process.env.AWS_ENDPOINT_URL_DYNAMODB, 'dynamodb', `DynamoDB_20120810.${action}`, input)
const queue = (action, input) => call(process.env.AWS_ENDPOINT_URL_SQS, 'sqs', `AmazonSQS.${action}`, { QueueUrl: process.env.QUEUE_URL, ...input })

// put tells whether the item is new; unless asked, it never looks.
async function put(table, item, once) {
  const typed = Object.fromEntries(Object.entries(item).map(([k, v]) => [k, { S: v }]))
  try {
    await store('PutItem', { TableName: table, Item: typed, ...(once && { ConditionExpression: 'attribute_not_exists(message_id)' }) })
    return true
  } catch (error) {
    if (error.message.endsWith('ConditionalCheckFailedException')) return false
    throw error
  }
}

async function accept(id) {
  if (fixed) {
    await sleep(away)
    return put('seen', { message_id: id }, true)
  }
  const known = await store('GetItem', { TableName: 'seen', Key: { message_id: { S: id } }, ConsistentRead: true })
  await sleep(away)
  await put('seen', { message_id: id }, false)
  return known.Item === undefined
}

async function work() {
  for (;;) {
    const { Messages } = await queue('ReceiveMessage', { VisibilityTimeout: 1 })
    if (!Messages?.length) {
      await sleep(20)
      continue
    }
    const [{ Body: id, ReceiptHandle }] = Messages
    await sleep(5)
    await put('processed', { message_id: id, attempt: fixed ? 'once' : randomUUID() }, fixed)
    await queue('DeleteMessage', { ReceiptHandle })
  }
}

const alive = new Set()

function web() {
  const answer = (response, status, word) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ status: word, components: { workers: alive.size } }))
  }
  return http.createServer(async (request, response) => {
    if (request.url === '/health/detailed') return answer(response, 200, alive.size === 2 ? 'healthy' : 'degraded')
    let body = ''
    for await (const part of request) body += part
    try {
      const { id } = JSON.parse(body).entry[0].changes[0].value.messages[0]
      if (!(await accept(id))) return answer(response, 200, 'duplicate')
      await queue('SendMessage', { MessageBody: id })
      answer(response, 200, 'accepted')
    } catch (error) {
      console.error(error)
      answer(response, 503, 'try again')
    }
  })
}

const freePort = () => new Promise((done) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => done(port))
  })
})

async function listening(port) {
  for (let n = 0; n < 200; n++) {
    const open = await new Promise((done) => {
      const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); done(true) })
      socket.on('error', () => done(false))
    })
    if (open) return
    await sleep(50)
  }
  throw new Error(`nothing listens on ${port}`)
}

const children = new Set()

function start(program, args, pidFile) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, CHAT_FIXED: String(fixed) } })
  children.add(child)
  child.on('exit', () => children.delete(child))
  if (pidFile) fs.writeFileSync(path.join(folder, pidFile), String(child.pid))
  return child
}

function supervise(n) {
  const child = start(process.argv[1], ['worker', folder], `worker${n}.pid`)
  alive.add(child)
  child.on('exit', () => {
    alive.delete(child)
    setTimeout(() => supervise(n), 200) // a supervisor takes its time
  })
}

async function main() {
  const parts = process.env.TWINROW_CHAT_PARTS
  const [storePort, queuePort] = [await freePort(), await freePort()]
  start(path.join(parts, 'dynalite/cli.js'), ['--host', '127.0.0.1', '--port', String(storePort), '--createTableMs', '0'], 'store.pid')
  start(process.argv[1], ['queue', folder, String(queuePort)])
  await Promise.all([listening(storePort), listening(queuePort)])
  process.env.AWS_ENDPOINT_URL_DYNAMODB = `http://127.0.0.1:${storePort}`
  process.env.AWS_ENDPOINT_URL_SQS = `http://127.0.0.1:${queuePort}`
  const table = (name, ...keys) => store('CreateTable', {
    TableName: name, BillingMode: 'PAY_PER_REQUEST', AttributeDefinitions: keys.map((k) => ({ AttributeName: k, AttributeType: 'S' })),
    KeySchema: keys.map((k, n) => ({ AttributeName: k, KeyType: n ? 'RANGE' : 'HASH' })),
  })
  await table('seen', 'message_id')
  await table('processed', 'message_id', 'attempt')
  process.env.QUEUE_URL = (await queue('CreateQueue', { QueueName: 'messages' })).QueueUrl
  supervise(1)
  supervise(2)
  const server = web().listen(0, '127.0.0.1', () => {
    console.log(`BASE_URL http://127.0.0.1:${server.address().port}`)
    for (const name of ['AWS_ENDPOINT_URL_DYNAMODB', 'AWS_ENDPOINT_URL_SQS', 'QUEUE_URL']) console.log(name, process.env[name])
    console.log('ready')
  })
  process.stdin.resume().on('end', () => {
    for (const child of children) child.kill('SIGKILL')
    process.exit(0)
  })
}

async function startQueue() {
  const { createSqsServer } = createRequire(path.join(process.env.TWINROW_CHAT_PARTS, 'x'))('local-aws-sqs')
  await createSqsServer({ port: Number(process.argv[4]), hostname: '127.0.0.1', region: 'eu-central-1' })
}

// depth answers as `aws sqs get-queue-attributes` does with --output text.
async function depth() {
  const { Attributes } = await queue('GetQueueAttributes', { AttributeNames: ['ApproximateNumberOfMessages'] })
  console.log(Attributes.ApproximateNumberOfMessages)
}

await ({ worker: work, queue: startQueue, depth }[role] ?? main)()
