/**
 * Why a requirement has no test: the honest line that stands in the last column instead.
 * Rule: a row that gets a test loses its reason by itself; a reason says what is missing or what is done instead, never that
 * it is kept.
 */
const plans = 'not yet: one machine at a time; plans are not built';
const protectAgain = 'not yet: protecting the machine again (home to Azure) is not built';

export const reasons: Readonly<Record<string, string>> = {
  'S000-19': plans,
  'S001-7':
    'does not apply: there is no configuration server. Runs live in Temporal’s store, which is backed up like any database; control workers keep nothing',
  'S001-10': protectAgain,
  'S001-11':
    'kept in another way: a machine at home that runs is refused (S000-27) and never switched off by us; its disks are synced in Seeding and Syncing',
  'S001-23': protectAgain,
};
