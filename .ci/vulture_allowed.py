"""What vulture takes for unused, and who uses it. A name that nobody uses is deleted, not entered here."""

# A property for users of the library.
flops

# Fields that are read by name: as JSON, as columns of a table, or by the scripts of a canvas.
gini_small_sample
top_share_10
bottom_share_50
cell_gini
cell_entropy
dense_seconds
compact_seconds
clearing
tiles
size_a
size_b
dominated
damaged  # lines of a history that could not be read: tests of kills and of full disks count them
PARQUET  # a choice of `compecon runs export`

# Settings of jobs, read by their names.
recover_epochs
step_ms
fail_at
nan_at
grow_mb

# Commands, which are loaded by their names.
doctor
remeasure

# Called by the interpreter.
__getattr__
__signature__
__annotations__

# Called or read by libraries: transformers and its Trainer, tokenizers, pydantic, torch, http.server.
compute_loss
create_scheduler
_get_train_sampler
on_step_begin
on_step_end
__class__  # an assignment makes an object one of another class
scan_component_manifests  # a function of Streamlit's that the server replaces
on_save
should_save
should_training_stop
_n_gpu
loss_is_scaled_for_ga
_encode_plus
id2label
label2id
problem_type
return_dict
pre_tokenizer
post_processor
in_features
out_features
model_config
log_message
should_exit
