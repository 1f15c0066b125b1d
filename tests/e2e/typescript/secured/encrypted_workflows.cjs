/** A workflow whose activities are those of a worker in another language. */

const {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  sleep,
  upsertMemo,
} = require('@temporalio/workflow');

const rootOf = (error) => (error.cause ? rootOf(error.cause) : error);

exports.orders = async function orders(card, activities) {
  const { charge } = proxyActivities({
    taskQueue: activities,
    startToCloseTimeout: '20s',
    retry: { maximumAttempts: 1 },
    summary: `${card} in TypeScript`,
  });
  const notes = [];
  setHandler(defineSignal('note'), (note) => void notes.push(note));
  setHandler(defineQuery('notes'), () => notes);
  setHandler(defineUpdate('change'), (to) => `${to}: changed in TypeScript`, {
    validator: (to) => {
      if (to.endsWith('never')) {
        throw ApplicationFailure.create({ message: `${to}: refused in TypeScript` });
      }
    },
  });
  upsertMemo({ card });
  const charged = await charge(card);
  let refused;
  try {
    await charge(`${card} expired`);
  } catch (error) {
    refused = rootOf(error).message;
  }
  await sleep(1);
  await condition(() => notes.length > 0);
  if (notes[0].endsWith('fail')) {
    throw ApplicationFailure.create({ message: `${notes[0]}: failed in TypeScript`, details: [card] });
  }
  return { charged, refused, notes };
};
