namespace FewStep.Text;

/// <summary>Reads the <c>config.json</c> of text encoders strictly: a key that is unknown and not null could change what is
/// computed.</summary>
internal static class TextConfig
{
    // What concerns training, files, generation and the decoder that an encoder has not.
    private static readonly HashSet<string> Irrelevant = new(StringComparer.Ordinal)
    {
        "architectures", "model_type", "torch_dtype", "dtype", "transformers_version", "initializer_factor", "initializer_range", "dropout",
        "attention_dropout", "dropout_rate", "classifier_dropout", "bos_token_id", "pad_token_id", "decoder_start_token_id", "use_cache",
        "output_past", "output_attentions", "output_hidden_states", "return_dict", "tie_word_embeddings", "num_decoder_layers",
        "is_encoder_decoder", "gradient_checkpointing", "n_positions", "task_specific_params",
    };

    /// <summary>The members that matter, as a record whose properties are all that may be there.</summary>
    public static T Read<T>(string path, Dictionary<string, JsonElement> given)
    {
        HashSet<string> known =
            [.. typeof(T).GetProperties().Select(property => JsonFile.Options.PropertyNamingPolicy!.ConvertName(property.Name))];
        foreach (var (key, value) in given.ToList())
        {
            if (known.Contains(key) && value.ValueKind != JsonValueKind.Null)
                continue;
            if (!known.Contains(key) && !key.StartsWith('_') && !Irrelevant.Contains(key) && value.ValueKind != JsonValueKind.Null)
            {
                throw new InvalidInputException($"{path}: {Printable.Line(key, 60)} is {Printable.Line(value.GetRawText(), 60)}, a setting "
                    + "that is not known here and could change what the text encoder computes.");
            }

            given.Remove(key);
        }

        return JsonFile.From<T>(given, path);
    }

    /// <summary>Refuses sizes that no text encoder has: a few numbers must not ask for endless memory.</summary>
    public static void Sizes(string path, params ReadOnlySpan<(string Key, int Value, int Most)> sizes)
    {
        foreach (var (key, value, most) in sizes)
        {
            if (value < 1 || value > most)
                throw new InvalidInputException($"{path}: {key} is {value}; known are 1 to {most}.");
        }
    }
}
