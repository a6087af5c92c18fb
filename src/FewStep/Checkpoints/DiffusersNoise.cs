namespace FewStep.Checkpoints;

/// <summary>What the <c>scheduler_config.json</c> of diffusers says about the noise that a network was trained on. What it says about
/// sampling (time steps to visit, clipping, variance) is none of the model's business.</summary>
internal static class DiffusersNoise
{
    public static PreconditioningConfig Read(string path)
    {
        var given = JsonFile.Read<Dictionary<string, JsonElement>>(path);
        string kind = Text(given, "_class_name", path) ?? "";
        if (kind == "CMStochasticIterativeScheduler")
            return Levels(given, path, PreconditioningConfig.Consistency);
        if (kind is "EDMEulerScheduler" or "EDMDPMSolverMultistepScheduler")
        {
            return Prediction(given, path) == NetworkPrediction.Epsilon ? Levels(given, path, PreconditioningConfig.Edm)
                : throw Unknown(path, "prediction_type", "of an EDM scheduler is not epsilon");
        }

        if (Text(given, "beta_schedule", path) is not string schedule)
        {
            throw Unknown(path, "_class_name", $"is {Printable.Text(kind)} and there is no beta_schedule; known are schedulers over betas, "
                + $"CMStochasticIterativeScheduler and the EDM schedulers");
        }

        if (given.TryGetValue("trained_betas", out JsonElement betas) && betas.ValueKind != JsonValueKind.Null)
            throw Unknown(path, "trained_betas", "is given; known are schedules by a formula");
        if (given.TryGetValue("rescale_betas_zero_snr", out JsonElement rescale) && rescale.ValueKind == JsonValueKind.True)
            throw Unknown(path, "rescale_betas_zero_snr", "is true: the last noise level is infinite, which no sigma expresses");
        string noise = schedule switch
        {
            "linear" => DiscreteVpNoise.LinearName,
            "scaled_linear" => DiscreteVpNoise.ScaledLinearName,
            "squaredcos_cap_v2" => DiscreteVpNoise.CosineName,
            _ => throw Unknown(
                path, "beta_schedule", $"is {Printable.Text(schedule)}; known are linear, scaled_linear and squaredcos_cap_v2"),
        };
        double steps = Number(given, "num_train_timesteps", path) ?? 1000;
        return new PreconditioningConfig
        {
            Kind = PreconditioningConfig.Discrete,
            Noise = noise,
            TimeSteps = steps is >= 2 and <= 100_000 && steps == Math.Floor(steps) ? (int)steps
                : throw Unknown(path, "num_train_timesteps", "is not a whole number in 2..100000"),
            BetaStart = noise == DiscreteVpNoise.CosineName ? null : Number(given, "beta_start", path) ?? 0.0001,
            BetaEnd = noise == DiscreteVpNoise.CosineName ? null : Number(given, "beta_end", path) ?? 0.02,
            Prediction = Prediction(given, path),
        };
    }

    private static PreconditioningConfig Levels(Dictionary<string, JsonElement> given, string path, string kind) => new()
    {
        Kind = kind,
        SigmaData = Number(given, "sigma_data", path) ?? 0.5,
        SigmaMin = Number(given, "sigma_min", path) ?? 0.002,
        SigmaMax = Number(given, "sigma_max", path) ?? 80,
    };

    private static NetworkPrediction Prediction(Dictionary<string, JsonElement> given, string path)
    {
        // Its name before there were three kinds.
        bool image = given.TryGetValue("predict_epsilon", out JsonElement epsilon) && epsilon.ValueKind == JsonValueKind.False;
        return Text(given, "prediction_type", path) switch
        {
            null => image ? NetworkPrediction.Sample : NetworkPrediction.Epsilon,
            "epsilon" => NetworkPrediction.Epsilon,
            "v_prediction" => NetworkPrediction.V,
            "sample" => NetworkPrediction.Sample,
            var other => throw Unknown(path, "prediction_type", $"is {Printable.Text(other)}; known are epsilon, v_prediction and sample"),
        };
    }

    private static string? Text(Dictionary<string, JsonElement> given, string key, string path)
    {
        if (!given.TryGetValue(key, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
            return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException) // no text, or text that is no Unicode
        {
            throw Unknown(path, key, "is no text");
        }
    }

    private static double? Number(Dictionary<string, JsonElement> given, string key, string path)
        => !given.TryGetValue(key, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number)
            && double.IsFinite(number) ? number : throw Unknown(path, key, "is no number");

    private static InvalidInputException Unknown(string path, string key, string problem) => new($"{path}: {key} {problem}.");
}
