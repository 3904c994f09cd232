-- Upgrade 2, before the new package: tables refuse NaN in their numbers, whoever writes, as docs/data-model-choices.md says.
-- Rows that hold NaN already stay until upgrade 5, but can be replaced only by rows without.
--
--     psql -v schema=astra -f schema/upgrades/0002_pre_no_nan.sql
--
-- Run it as the owner of the tables. Transaction: yes. Locks: exclusive on these five tables, for milliseconds, since
-- nothing is read (`not valid`); waits ten seconds for each at most, and can then be tried again. Rewrites: nothing.
-- Until the new package is there: this package never stores NaN; other writers that do (Peewee with float('nan')) are
-- refused from now on, and have to write NULL.
--
-- Undo, before upgrade 3: drop these constraints, and delete from schema_version where version = 2.

\set ON_ERROR_STOP on
\set number 2
\set upgrade 0002_pre_no_nan
\ir parts/begin.sql

alter table source
    add constraint source_no_nan_check check (
        greatest(ra, dec, l, b) <> 'NaN'
        and greatest(
            plx, e_plx, pmra, e_pmra, pmde, e_pmde, gaia_v_rad, gaia_e_v_rad, g_mag, bp_mag, rp_mag, j_mag,
            e_j_mag, h_mag, e_h_mag, k_mag, e_k_mag, w1_mag, e_w1_mag, w1_flux, w1_dflux, w1_frac, w2_mag,
            e_w2_mag, w2_flux, w2_dflux, w2_frac, mag4_5, d4_5m, rms_f4_5, zgr_teff, zgr_e_teff, zgr_logg,
            zgr_e_logg, zgr_fe_h, zgr_e_fe_h, zgr_e, zgr_e_e, zgr_plx, zgr_e_plx, zgr_teff_confidence,
            zgr_logg_confidence, zgr_fe_h_confidence, zgr_ln_prior, zgr_chi2, r_med_geo, r_lo_geo, r_hi_geo,
            r_med_photogeo, r_lo_photogeo, r_hi_photogeo, ebv, e_ebv, ebv_zhang_2023, e_ebv_zhang_2023,
            ebv_sfd, e_ebv_sfd, ebv_rjce_glimpse, e_ebv_rjce_glimpse, ebv_rjce_allwise, e_ebv_rjce_allwise,
            ebv_bayestar_2019, e_ebv_bayestar_2019, ebv_edenhofer_2023, e_ebv_edenhofer_2023, c_star,
            u_jkc_mag, b_jkc_mag, v_jkc_mag, r_jkc_mag, i_jkc_mag, u_sdss_mag, g_sdss_mag, r_sdss_mag,
            i_sdss_mag, z_sdss_mag, y_ps1_mag
        ) <> 'NaN'
    ) not valid;
alter table apogee_coadded_spectrum_in_ap_star
    add constraint apogee_coadded_spectrum_in_ap_star_no_nan_check check (
        greatest(
            snr, mean_fiber, std_fiber, v_rad, e_v_rad, std_v_rad, median_e_v_rad, doppler_teff,
            doppler_e_teff, doppler_logg, doppler_e_logg, doppler_fe_h, doppler_e_fe_h, doppler_rchi2,
            xcorr_v_rad, xcorr_v_rel, xcorr_e_v_rel, ccfwhm, autofwhm
        ) <> 'NaN'
    ) not valid;
alter table boss_visit_spectrum
    add constraint boss_visit_spectrum_no_nan_check check (
        greatest(
            exptime, preject, skychi2, schi2min, schi2max, alt, az, seeing, airmass, airtemp, dewpoint,
            humidity, pressure, dust_a, dust_b, gust_direction, gust_speed, wind_direction, wind_speed,
            moon_dist_mean, moon_phase_mean, f_night_time, snr, xcsao_v_rad, xcsao_e_v_rad, xcsao_teff,
            xcsao_e_teff, xcsao_logg, xcsao_e_logg, xcsao_fe_h, xcsao_e_fe_h, xcsao_rxc
        ) <> 'NaN'
    ) not valid;
alter table the_cannon
    add constraint the_cannon_no_nan_check check (
        greatest(
            t_elapsed, t_overhead, teff, e_teff, logg, e_logg, fe_h, e_fe_h, v_micro, e_v_micro, v_macro,
            e_v_macro, c_fe, e_c_fe, n_fe, e_n_fe, o_fe, e_o_fe, na_fe, e_na_fe, mg_fe, e_mg_fe, al_fe,
            e_al_fe, si_fe, e_si_fe, s_fe, e_s_fe, k_fe, e_k_fe, ca_fe, e_ca_fe, ti_fe, e_ti_fe, v_fe, e_v_fe,
            cr_fe, e_cr_fe, mn_fe, e_mn_fe, ni_fe, e_ni_fe, chi2, rchi2, raw_e_teff, raw_e_logg, raw_e_fe_h,
            raw_e_v_micro, raw_e_v_macro, raw_e_c_fe, raw_e_n_fe, raw_e_o_fe, raw_e_na_fe, raw_e_mg_fe,
            raw_e_al_fe, raw_e_si_fe, raw_e_s_fe, raw_e_k_fe, raw_e_ca_fe, raw_e_ti_fe, raw_e_v_fe,
            raw_e_cr_fe, raw_e_mn_fe, raw_e_ni_fe
        ) <> 'NaN'
    ) not valid;
alter table snow_white
    add constraint snow_white_no_nan_check check (
        greatest(
            t_elapsed, t_overhead, p_cv, p_da, p_dab, p_dabz, p_dah, p_dahe, p_dao, p_daz, p_da_ms, p_db,
            p_dba, p_dbaz, p_dbh, p_dbz, p_db_ms, p_dc, p_dc_ms, p_do, p_dq, p_dqz, p_dqpec, p_dz, p_dza,
            p_dzb, p_dzba, p_mwd, p_hotdq, teff, e_teff, logg, e_logg, v_rel, raw_e_teff, raw_e_logg
        ) <> 'NaN'
    ) not valid;

\ir parts/end.sql
