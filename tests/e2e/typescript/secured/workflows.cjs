/** A workflow and its activity of another language's worker. */

const { proxyActivities } = require('@temporalio/workflow');

exports.greets = async function greets(name) {
  const { greet } = proxyActivities({ startToCloseTimeout: '10s' });
  return greet(name);
};
