CREATE FUNCTION maatpak_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Maatpak keeps its history: % on % refused, %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
    USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION maatpak_refuse_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Maatpak refused a change of %: % may not become %', TG_TABLE_NAME, OLD.state, NEW.state
    USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "action"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "action"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "action"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."creditor_id", NEW."case_id", NEW."round_id", NEW."stage", NEW."step", NEW."attempt", NEW."occurrence", NEW."kind", NEW."segment", NEW."pack_id", NEW."template", NEW."written", NEW."escalating", NEW."approval_role", NEW."approvals_needed", NEW."business_date", NEW."proposed_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."creditor_id", OLD."case_id", OLD."round_id", OLD."stage", OLD."step", OLD."attempt", OLD."occurrence", OLD."kind", OLD."segment", OLD."pack_id", OLD."template", OLD."written", OLD."escalating", OLD."approval_role", OLD."approvals_needed", OLD."business_date", OLD."proposed_at")))
  EXECUTE FUNCTION maatpak_refuse('only the state of a row changes');

CREATE TRIGGER keep_state BEFORE UPDATE ON "action"
  FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ('proposed>approved', 'proposed>awaiting_approval', 'proposed>cancelled', 'proposed>skipped', 'awaiting_approval>approved', 'awaiting_approval>cancelled', 'awaiting_approval>rejected', 'approved>cancelled', 'approved>executed', 'approved>in_progress', 'in_progress>cancelled', 'in_progress>executed', 'in_progress>failed', 'in_progress>unknown', 'unknown>executed', 'unknown>failed'))
  EXECUTE FUNCTION maatpak_refuse_state();

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "action_item"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "action_item"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "action_item"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "address_state"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "address_state"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "address_state"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."salt", NEW."id", NEW."debtor_id", NEW."channel", NEW."address", NEW."state", NEW."missed", NEW."cause", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."salt", OLD."id", OLD."debtor_id", OLD."channel", OLD."address", OLD."state", OLD."missed", OLD."cause", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "answer"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "answer"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "answer"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."answer_no", NEW."creditor_id", NEW."debtor_id", NEW."case_id", NEW."message_id", NEW."channel", NEW."received_on", NEW."read_on", NEW."read_by", NEW."content")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."answer_no", OLD."creditor_id", OLD."debtor_id", OLD."case_id", OLD."message_id", OLD."channel", OLD."received_on", OLD."read_on", OLD."read_by", OLD."content")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "api_token"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "api_token"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "api_token"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."person_id", NEW."name", NEW."token_hash", NEW."scope", NEW."created_at", NEW."expires_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."person_id", OLD."name", OLD."token_hash", OLD."scope", OLD."created_at", OLD."expires_at")))
  EXECUTE FUNCTION maatpak_refuse('only the state of a row changes');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "approval"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "approval"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "approval"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "breaker"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "breaker"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "call_once"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "call_reservation"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "case"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "case"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "case"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."creditor_id", NEW."debtor_id", NEW."currency", NEW."recorded_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."creditor_id", OLD."debtor_id", OLD."currency", OLD."recorded_at")))
  EXECUTE FUNCTION maatpak_refuse('only the state of a row changes');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "case_note"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "case_note"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "case_note"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "case_standing"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "change_request"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "change_request"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "change_request"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."person_id", NEW."creditor_id", NEW."changes", NEW."asked_by", NEW."asked_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."person_id", OLD."creditor_id", OLD."changes", OLD."asked_by", OLD."asked_at")))
  EXECUTE FUNCTION maatpak_refuse('only the state of a row changes');

CREATE TRIGGER keep_state BEFORE UPDATE ON "change_request"
  FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ('asked>confirmed', 'asked>refused'))
  EXECUTE FUNCTION maatpak_refuse_state();

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "claimed_payment"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "claimed_payment"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "claimed_payment"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."claim_no", NEW."case_id", NEW."amount", NEW."items", NEW."claimed_on", NEW."until_on", NEW."state", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."claim_no", OLD."case_id", OLD."amount", OLD."items", OLD."claimed_on", OLD."until_on", OLD."state", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "console_session"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "contact_person"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "contact_person"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "contact_person"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."debtor_id", NEW."name", NEW."role", NEW."email", NEW."phone", NEW."language")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."debtor_id", OLD."name", OLD."role", OLD."email", OLD."phone", OLD."language")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "contact_result"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "contact_result"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "contact_result"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."creditor_id", NEW."case_id", NEW."debtor_id", NEW."task_id", NEW."code", NEW."day_part", NEW."callback_on", NEW."called_on", NEW."actor", NEW."recorded_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."creditor_id", OLD."case_id", OLD."debtor_id", OLD."task_id", OLD."code", OLD."day_part", OLD."callback_on", OLD."called_on", OLD."actor", OLD."recorded_at")))
  EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "contact_slot"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "contact_wait"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "credential"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "credential"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "creditor"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "creditor"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "creditor_pack"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "creditor_pack"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "creditor_pack"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."creditor_id", NEW."pack_id", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."creditor_id", OLD."pack_id", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "debtor"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "debtor"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "debtor_profile"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "debtor_profile"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "debtor_profile"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."debtor_id", NEW."creditor_id", NEW."snapshot_id", NEW."name", NEW."kind", NEW."country", NEW."language", NEW."email", NEW."phone", NEW."street", NEW."postal_code", NEW."city", NEW."contact_name", NEW."time_zone", NEW."preferred_channel", NEW."account_manager", NEW."parent_no", NEW."payer_no", NEW."customer_since", NEW."key_account", NEW."revenue_12m", NEW."payment_terms", NEW."credit_limit", NEW."risk_class", NEW."insured_amount", NEW."insurer_notify_by", NEW."hardship_until", NEW."legal_stop")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."debtor_id", OLD."creditor_id", OLD."snapshot_id", OLD."name", OLD."kind", OLD."country", OLD."language", OLD."email", OLD."phone", OLD."street", OLD."postal_code", OLD."city", OLD."contact_name", OLD."time_zone", OLD."preferred_channel", OLD."account_manager", OLD."parent_no", OLD."payer_no", OLD."customer_since", OLD."key_account", OLD."revenue_12m", OLD."payment_terms", OLD."credit_limit", OLD."risk_class", OLD."insured_amount", OLD."insurer_notify_by", OLD."hardship_until", OLD."legal_stop")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "dispute"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "dispute"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "dispute"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."dispute_no", NEW."case_id", NEW."item_id", NEW."amount", NEW."accepted_amount", NEW."reason", NEW."owner", NEW."opened_on", NEW."answer_by", NEW."decided_on", NEW."state", NEW."source", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."dispute_no", OLD."case_id", OLD."item_id", OLD."amount", OLD."accepted_amount", OLD."reason", OLD."owner", OLD."opened_on", OLD."answer_by", OLD."decided_on", OLD."state", OLD."source", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "event"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "event"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "event"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "event_head"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "event_head"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "event_head"
  FOR EACH ROW
  WHEN (NEW.seq <= OLD.seq)
  EXECUTE FUNCTION maatpak_refuse('the chain only grows');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "evidence"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "evidence"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "evidence"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "figure"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "finding"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "finding"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "finding"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "hold"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "hold"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "hold"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."hold_no", NEW."scope", NEW."party_id", NEW."debtor_id", NEW."case_id", NEW."item_id", NEW."reason", NEW."source", NEW."from_on", NEW."until_on", NEW."state", NEW."note", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."hold_no", OLD."scope", OLD."party_id", OLD."debtor_id", OLD."case_id", OLD."item_id", OLD."reason", OLD."source", OLD."from_on", OLD."until_on", OLD."state", OLD."note", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "incoming"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "incoming"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "item"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "item"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "item"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."creditor_id", NEW."item_type", NEW."document_no", NEW."issued_on", NEW."currency", NEW."recorded_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."creditor_id", OLD."item_type", OLD."document_no", OLD."issued_on", OLD."currency", OLD."recorded_at")))
  EXECUTE FUNCTION maatpak_refuse('only the state of a row changes');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "item_version"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "item_version"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "item_version"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."item_id", NEW."creditor_id", NEW."debtor_id", NEW."snapshot_id", NEW."item_type", NEW."document_no", NEW."currency", NEW."issued_on", NEW."due_on", NEW."amount", NEW."open_amount", NEW."settled_on", NEW."settled_by", NEW."settled_estimated", NEW."left_after", NEW."disputed_amount", NEW."disputed_on", NEW."dispute_outcome", NEW."reference", NEW."payment_method", NEW."collect_on", NEW."returned_on", NEW."return_code", NEW."po_number", NEW."ordered_on", NEW."delivered_on", NEW."invoice_sent_on", NEW."invoice_channel", NEW."approved_on", NEW."document_path")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."item_id", OLD."creditor_id", OLD."debtor_id", OLD."snapshot_id", OLD."item_type", OLD."document_no", OLD."currency", OLD."issued_on", OLD."due_on", OLD."amount", OLD."open_amount", OLD."settled_on", OLD."settled_by", OLD."settled_estimated", OLD."left_after", OLD."disputed_amount", OLD."disputed_on", OLD."dispute_outcome", OLD."reference", OLD."payment_method", OLD."collect_on", OLD."returned_on", OLD."return_code", OLD."po_number", OLD."ordered_on", OLD."delivered_on", OLD."invoice_sent_on", OLD."invoice_channel", OLD."approved_on", OLD."document_path")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "journey_figure"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "message"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "message"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "message"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."creditor_id", NEW."debtor_id", NEW."case_id", NEW."channel", NEW."recipient", NEW."language", NEW."template", NEW."content_key", NEW."attempt", NEW."message_ref", NEW."subject", NEW."content", NEW."written", NEW."reply_by", NEW."business_date", NEW."queued_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."creditor_id", OLD."debtor_id", OLD."case_id", OLD."channel", OLD."recipient", OLD."language", OLD."template", OLD."content_key", OLD."attempt", OLD."message_ref", OLD."subject", OLD."content", OLD."written", OLD."reply_by", OLD."business_date", OLD."queued_at")))
  EXECUTE FUNCTION maatpak_refuse('only the state of a row changes');

CREATE TRIGGER keep_state BEFORE UPDATE ON "message"
  FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ('queued>cancelled', 'queued>failed', 'queued>sending', 'sending>failed', 'sending>queued', 'sending>sent', 'sending>unknown', 'unknown>failed', 'unknown>sent'))
  EXECUTE FUNCTION maatpak_refuse_state();

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "message_action"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "message_action"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "message_action"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "pack_draft"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "pack_draft"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "pack_draft"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."name", NEW."content_hash", NEW."files", NEW."note", NEW."bases", NEW."move_running", NEW."submitted_by", NEW."submitted_on", NEW."submitted_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."name", OLD."content_hash", OLD."files", OLD."note", OLD."bases", OLD."move_running", OLD."submitted_by", OLD."submitted_on", OLD."submitted_at")))
  EXECUTE FUNCTION maatpak_refuse('only the state of a row changes');

CREATE TRIGGER keep_state BEFORE UPDATE ON "pack_draft"
  FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ('submitted>published', 'submitted>refused', 'submitted>withdrawn'))
  EXECUTE FUNCTION maatpak_refuse_state();

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "party"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "party"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "payment"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "payment"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "payment"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "person"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "person"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "person_creditor"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "placement"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "placement"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "placement"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."placement_no", NEW."creditor_id", NEW."case_id", NEW."action_id", NEW."agency", NEW."state", NEW."amount", NEW."items", NEW."dossier", NEW."cause", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."placement_no", OLD."creditor_id", OLD."case_id", OLD."action_id", OLD."agency", OLD."state", OLD."amount", OLD."items", OLD."dossier", OLD."cause", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "placement_check"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "placement_check"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "placement_check"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "plan"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "plan"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "plan"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."plan_no", NEW."case_id", NEW."action_id", NEW."total", NEW."items", NEW."instalments", NEW."offered_on", NEW."valid_until", NEW."accepted_on", NEW."breached_on", NEW."state", NEW."source", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."plan_no", OLD."case_id", OLD."action_id", OLD."total", OLD."items", OLD."instalments", OLD."offered_on", OLD."valid_until", OLD."accepted_on", OLD."breached_on", OLD."state", OLD."source", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "policy_pack"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "policy_pack"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "policy_pack"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "preference"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "preference"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "preference"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."debtor_id", NEW."name", NEW."value", NEW."source", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."debtor_id", OLD."name", OLD."value", OLD."source", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "promise"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "promise"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "promise"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."promise_no", NEW."case_id", NEW."round_id", NEW."amount", NEW."items", NEW."made_on", NEW."promised_on", NEW."received", NEW."source", NEW."state", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."promise_no", OLD."case_id", OLD."round_id", OLD."amount", OLD."items", OLD."made_on", OLD."promised_on", OLD."received", OLD."source", OLD."state", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "quarantined_row"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "quarantined_row"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "quarantined_row"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."snapshot_id", NEW."creditor_id", NEW."file", NEW."row_no", NEW."table_name", NEW."raw", NEW."rules", NEW."salt", NEW."recorded_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."snapshot_id", OLD."creditor_id", OLD."file", OLD."row_no", OLD."table_name", OLD."raw", OLD."rules", OLD."salt", OLD."recorded_at")))
  EXECUTE FUNCTION maatpak_refuse('only the state of a row changes');

CREATE TRIGGER keep_state BEFORE UPDATE ON "quarantined_row"
  FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ('open>discarded', 'open>released', 'open>superseded'))
  EXECUTE FUNCTION maatpak_refuse_state();

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "round"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "round"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "round"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."case_id", NEW."number", NEW."opened_on", NEW."opened_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."case_id", OLD."number", OLD."opened_on", OLD."opened_at")))
  EXECUTE FUNCTION maatpak_refuse('only the state of a row changes');

CREATE TRIGGER keep_closed BEFORE UPDATE ON "round"
  FOR EACH ROW
  WHEN (OLD.closed_at IS NOT NULL)
  EXECUTE FUNCTION maatpak_refuse('a round closes once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "round_course"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "round_course"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "round_course"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."round_id", NEW."segment", NEW."pack_id", NEW."entry_stage", NEW."cause", NEW."actor", NEW."by_hand", NEW."entered_on")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."round_id", OLD."segment", OLD."pack_id", OLD."entry_stage", OLD."cause", OLD."actor", OLD."by_hand", OLD."entered_on")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "round_item"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "round_item"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "round_item"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "send_turn"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "send_turn"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "snapshot"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "snapshot"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "snapshot"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "stated_reason"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "stated_reason"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "stated_reason"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."case_id", NEW."reason", NEW."stated_on", NEW."source", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."case_id", OLD."reason", OLD."stated_on", OLD."source", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "text_consent"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "text_consent"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "text_consent"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."salt", NEW."id", NEW."debtor_id", NEW."number", NEW."given", NEW."source", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."salt", OLD."id", OLD."debtor_id", OLD."number", OLD."given", OLD."source", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "tick"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "tick"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "tick"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "ticket"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "ticket"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "ticket"
  FOR EACH ROW
  WHEN (NOT (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL AND ROW(NEW."valid_from", NEW."recorded_at", NEW."id", NEW."debtor_id", NEW."ticket_no", NEW."kind", NEW."opened_on", NEW."closed_on", NEW."actor")
      IS NOT DISTINCT FROM
    ROW(OLD."valid_from", OLD."recorded_at", OLD."id", OLD."debtor_id", OLD."ticket_no", OLD."kind", OLD."opened_on", OLD."closed_on", OLD."actor")))
  EXECUTE FUNCTION maatpak_refuse('a version is only stamped as replaced, once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "touch"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "touch"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "touch"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."creditor_id", NEW."case_id", NEW."action_id", NEW."kind", NEW."record_no", NEW."rating", NEW."wrongful", NEW."cause", NEW."touched_on", NEW."recorded_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."creditor_id", OLD."case_id", OLD."action_id", OLD."kind", OLD."record_no", OLD."rating", OLD."wrongful", OLD."cause", OLD."touched_on", OLD."recorded_at")))
  EXECUTE FUNCTION maatpak_refuse('its rows are written once');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "wake"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "webhook"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "webhook"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "webhook_delivery"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "webhook_delivery"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_truncate BEFORE TRUNCATE ON "work_task"
  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('it is never emptied');

CREATE TRIGGER keep_delete BEFORE DELETE ON "work_task"
  FOR EACH ROW EXECUTE FUNCTION maatpak_refuse('nothing is ever removed');

CREATE TRIGGER keep_update BEFORE UPDATE ON "work_task"
  FOR EACH ROW
  WHEN (NOT (ROW(NEW."id", NEW."creditor_id", NEW."debtor_id", NEW."case_id", NEW."action_id", NEW."kind", NEW."opened_on", NEW."recorded_at")
      IS NOT DISTINCT FROM
    ROW(OLD."id", OLD."creditor_id", OLD."debtor_id", OLD."case_id", OLD."action_id", OLD."kind", OLD."opened_on", OLD."recorded_at")))
  EXECUTE FUNCTION maatpak_refuse('only the state of a row changes');

CREATE TRIGGER keep_state BEFORE UPDATE ON "work_task"
  FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ('open>cancelled', 'open>done'))
  EXECUTE FUNCTION maatpak_refuse_state();
