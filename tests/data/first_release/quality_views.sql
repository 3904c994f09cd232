-- The survey's two summaries of a result's flags, flag_warn and flag_bad, in front of all its columns:
--
--     select teff, logg, fe_h from aspcap_quality where not flag_bad;
--
-- They are views, since they are no columns of the data model and cost one comparison each. The table's
-- columns come last, so that a column added to a table can be added here by `create or replace view`.
-- A view shows its reader only what the reader may see in the table (security_invoker).

-- noqa: disable=structure.column_order,ambiguous.column_count

create or replace view aspcap_quality with (security_invoker = true) as
select
    aspcap.result_flags > 0 as flag_warn,
    aspcap.result_flags
    & (
        flag_mask('aspcap', 'result_flags', 'suspicious_parameters')
        | flag_mask('aspcap', 'result_flags', 'high_v_sini')
        | flag_mask('aspcap', 'result_flags', 'high_v_micro')
        | flag_mask('aspcap', 'result_flags', 'unphysical_parameters')
        | flag_mask('aspcap', 'result_flags', 'high_rchi2')
        | flag_mask('aspcap', 'result_flags', 'low_snr')
        | flag_mask('aspcap', 'result_flags', 'high_std_v_rad')
        | flag_mask('aspcap', 'result_flags', 'teff_grid_edge_bad')
        | flag_mask('aspcap', 'result_flags', 'logg_grid_edge_bad')
        | flag_mask('aspcap', 'result_flags', 'ferre_fail')
        | flag_mask('aspcap', 'result_flags', 'missing_model_flux')
        | flag_mask('aspcap', 'result_flags', 'potential_ferre_timeout')
        | flag_mask('aspcap', 'result_flags', 'no_suitable_initial_guess')
        | flag_mask('aspcap', 'result_flags', 'spectrum_io_error')
    ) <> 0 as flag_bad,
    aspcap.*
from aspcap;

comment on view aspcap_quality is 'Results of ASPCAP with the summaries of their flags';
comment on column aspcap_quality.flag_warn is 'Whether any quality flag is set';
comment on column aspcap_quality.flag_bad is 'Whether a flag is set that makes the result bad';

create or replace view snow_white_quality with (security_invoker = true) as
select
    snow_white.result_flags > 0 as flag_warn,
    snow_white.*
from snow_white;

comment on view snow_white_quality is 'Results of Snow White with the summary of their flags';
comment on column snow_white_quality.flag_warn is 'Whether any quality flag is set';

create or replace view the_cannon_quality with (security_invoker = true) as
select
    the_cannon.result_flags > 0 as flag_warn,
    the_cannon.*
from the_cannon;

comment on view the_cannon_quality is 'Results of The Cannon with the summary of their flags';
comment on column the_cannon_quality.flag_warn is 'Whether any quality flag is set';

create or replace view apogee_coadded_spectrum_in_apstar_quality with (security_invoker = true) as
select
    spectrum.spectrum_flags
    & (
        flag_mask('apogee_coadded_spectrum_in_apstar', 'spectrum_flags', 'bad_pixels')
        | flag_mask('apogee_coadded_spectrum_in_apstar', 'spectrum_flags', 'very_bright_neighbor')
        | flag_mask('apogee_coadded_spectrum_in_apstar', 'spectrum_flags', 'bad_rv_combination')
        | flag_mask('apogee_coadded_spectrum_in_apstar', 'spectrum_flags', 'rv_failure')
    ) <> 0 as flag_bad,
    spectrum.*
from apogee_coadded_spectrum_in_apstar as spectrum;

comment on view apogee_coadded_spectrum_in_apstar_quality is 'APOGEE spectra with the summary of their flags';
comment on column apogee_coadded_spectrum_in_apstar_quality.flag_bad is
    'Whether a flag is set that makes the spectrum bad';
