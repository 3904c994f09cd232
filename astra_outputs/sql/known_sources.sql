-- name: sources_claimed
-- The stored sources that have one of the identifiers of some others: the same stars, or ones in dispute.
-- An array for each identifier.
select /*= columns */ pk, sdss_id, gaia_dr3_source_id /*=*/
from /*= table */ astra.source /*=*/
where /*= matches */ sdss_id = any($1::bigint[]) or gaia_dr3_source_id = any($2::bigint[]) /*=*/;

-- name: identify_sources
-- Gives stored sources the identifiers that others know them by, where they have none yet.
-- An array of keys, and one for each identifier.
update /*= table */ astra.source /*=*/ as stored
set
    /*= assignments */ sdss_id = coalesce(stored.sdss_id, given.sdss_id), /*=*/
    modified = statement_timestamp()
from unnest(/*= arrays */ $1::bigint[], $2::bigint[] /*=*/) as given (/*= names */ pk, sdss_id /*=*/)
where stored.pk = given.pk;
