// Reads signed messages, a JSON document a line, and has each verified by the
// provider's own library. Prints for each whether it was accepted.
import '@shopify/shopify-api/adapters/node'
import * as github from '@octokit/webhooks-methods'
import slack from '@slack/events-api'
import { ApiVersion, LogSeverity, shopifyApi } from '@shopify/shopify-api'
import { Webhook as Standard } from 'standardwebhooks'
import { Webhook as Svix } from 'svix'
import Stripe from 'stripe'
import readline from 'node:readline'
import twilio from 'twilio'

const shopify = (secret) => shopifyApi({
  apiKey: 'key', apiSecretKey: secret, hostName: 'example.com', isEmbeddedApp: false,
  apiVersion: Object.values(ApiVersion).find((v) => /^\d/.test(v)), logger: { level: LogSeverity.Error },
})

const verify = {
  stripe: (m) => Boolean(new Stripe('sk_test_x').webhooks.constructEvent(m.body, m.headers['Stripe-Signature'], m.secret)),
  svix: (m) => { new Svix(m.secret).verify(m.body, m.headers); return true }, // it throws
  'standard-webhooks': (m) => Boolean(new Standard(m.secret).verify(m.body, m.headers)),
  github: (m) => github.verify(m.secret, m.body, m.headers['X-Hub-Signature-256']),
  meta: (m) => github.verify(m.secret, m.body, m.headers['X-Hub-Signature-256']),
  slack: (m) => slack.verifyRequestSignature({
    signingSecret: m.secret, requestSignature: m.headers['X-Slack-Signature'],
    requestTimestamp: Number(m.headers['X-Slack-Request-Timestamp']), body: m.body,
  }),
  twilio: (m) => twilio.validateRequest(m.secret, m.headers['X-Twilio-Signature'], m.url, m.form),
  shopify: async (m) => (await shopify(m.secret).webhooks.validate({
    rawBody: m.body,
    rawRequest: {
      method: 'POST', url: '/', rawHeaders: [],
      headers: {
        'x-shopify-hmac-sha256': m.headers['X-Shopify-Hmac-Sha256'], 'x-shopify-topic': 'orders/paid', 'x-shopify-api-version': '2026-01',
        'x-shopify-shop-domain': 'example.myshopify.com', 'x-shopify-webhook-id': 'w',
      },
    },
  })).valid,
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const message = JSON.parse(line)
  let accepted = false
  let why = ''
  try {
    accepted = (await verify[message.scheme](message)) === true
  } catch (error) {
    why = String(error.message)
  }
  console.log(JSON.stringify({ accepted, why }))
}
