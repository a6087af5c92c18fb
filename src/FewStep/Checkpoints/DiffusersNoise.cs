namespace FewStep.Checkpoints;

/// <summary>What the <c>scheduler_config.json</c> of diffusers says about the noise that a network was trained on. What it says about
/// sampling (time steps to visit, clipping, variance) is none of the model's business. A setting that is neither is refused with its
/// value.</summary>
internal static class DiffusersNoise
{
    private const string Continuous = "continuous", ZeroTerminal = "rescale_betas_zero_snr";

    // Classes over betas with the usual meaning of a prediction, and their own first and last beta where they are others than DDPM's.
    private static readonly Dictionary<string, (double First, double Last)> OverBetas = new(StringComparer.Ordinal)
    {
        ["DDIMInverseScheduler"] = DdpmBetas,
        ["DDIMParallelScheduler"] = DdpmBetas,
        ["DDIMScheduler"] = DdpmBetas,
        ["DDPMParallelScheduler"] = DdpmBetas,
        ["DDPMScheduler"] = DdpmBetas,
        ["DEISMultistepScheduler"] = DdpmBetas,
        ["DPMSolverMultistepInverseScheduler"] = DdpmBetas,
        ["DPMSolverMultistepScheduler"] = DdpmBetas,
        ["DPMSolverSDEScheduler"] = (0.00085, 0.012),
        ["DPMSolverSinglestepScheduler"] = DdpmBetas,
        ["EulerAncestralDiscreteScheduler"] = DdpmBetas,
        ["EulerDiscreteScheduler"] = DdpmBetas,
        ["HeunDiscreteScheduler"] = (0.00085, 0.012),
        ["KDPM2AncestralDiscreteScheduler"] = (0.00085, 0.012),
        ["KDPM2DiscreteScheduler"] = (0.00085, 0.012),
        ["LCMScheduler"] = (0.00085, 0.012),
        ["LMSDiscreteScheduler"] = DdpmBetas,
        ["PNDMScheduler"] = DdpmBetas,
        ["RePaintScheduler"] = DdpmBetas,
        ["SASolverScheduler"] = DdpmBetas,
        ["TCDScheduler"] = (0.00085, 0.012),
        ["UniPCMultistepScheduler"] = DdpmBetas,
    };

    // Schedulers of networks that were distilled to jump to the end of a trajectory; their betas are scaled unless they say otherwise.
    private static readonly string[] OfLatentConsistency = [Lcm, "TCDScheduler"];

    private const string Lcm = "LCMScheduler";
    private const double UsualBoundaryScale = 10; // of LCMScheduler

    // What is read here, and what only says how diffusers samples.
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "algorithm_type", "base_image_seq_len", "base_shift", "beta_end", "beta_schedule", "beta_start", "clip_denoised", "clip_sample",
        "clip_sample_range", "corrector_order", "disable_corrector", "dynamic_thresholding_ratio", "eta", "euler_at_final",
        "final_sigmas_type", "flow_shift", "interpolation_type", "lambda_min_clipped", "lower_order_final", "max_image_seq_len",
        "max_shift", "noise_sampler_seed", "num_train_timesteps", "original_inference_steps", "predict_epsilon", "predict_x0",
        "prediction_type", "predictor_order", ZeroTerminal, "rho", "s_noise", "sample_max_value", "set_alpha_to_one", "shift_terminal",
        "sigma_data", "sigma_max", "sigma_min", "sigma_schedule", "skip_prk_steps", "solver_order", "solver_p", "solver_type",
        "steps_offset", "tau_func", "tensor_format", "thresholding", "time_shift_type", "timestep_scaling", "timestep_spacing",
        "timestep_type", "trained_betas", "variance_type",
    };

    // Which sigmas diffusers' samplers visit; the model's own levels stay the same.
    private static readonly string[] OfSampling = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas"];

    // First and last beta of most of these classes.
    private static (double First, double Last) DdpmBetas => (0.0001, 0.02);

    /// <summary>Reads the configuration of a scheduler.</summary>
    /// <returns>What it says about the model, and one sentence for each thing that its user should know.</returns>
    public static (PreconditioningConfig Preconditioning, IReadOnlyList<string> Remarks) Read(string path)
    {
        var given = JsonFile.ReadPython(path);
        string kind = Text(given, "_class_name", path) ?? "";
        bool isFlow = FlowMatchScheduler.Classes.Contains(kind);
        RefuseUnknown(given, path, isFlow ? FlowMatchScheduler.Keys : []);
        if (isFlow)
            return (FlowMatchScheduler.Read(path).Preconditioning, []);
        switch (kind)
        {
            case "CMStochasticIterativeScheduler":
                return (Levels(given, path, PreconditioningConfig.Consistency), ["It is a consistency model: it jumps to the end of a "
                    + "trajectory and does not denoise, so schedules searched with it mean little."]);
            case "EDMEulerScheduler" or "EDMDPMSolverMultistepScheduler":
                return (Levels(given, path, PreconditioningConfig.Edm) with { Prediction = EdmPrediction(given, path) }, []);
            case var _ when kind.Length == 0 || OverBetas.ContainsKey(kind):
                return (OfBetas(given, path, kind), Remarks(given, kind));
            default:
                throw Unknown(path, "_class_name", $"is {Printable.Text(kind)}; known are the schedulers over betas (DDPMScheduler, "
                    + "DDIMScheduler, EulerDiscreteScheduler, DPMSolverMultistepScheduler and their kin), CMStochasticIterativeScheduler, "
                    + "the EDM schedulers, and FlowMatchEulerDiscreteScheduler");
        }
    }

    private static List<string> Remarks(Dictionary<string, JsonElement> given, string kind)
    {
        List<string> remarks = [.. OfSampling.Where(key => IsTrue(given, key))
            .Select(key => $"{key} of the scheduler says which noise levels diffusers samples at, not which the model knows; it is "
                + "left to the schedule here.")];
        if (OfLatentConsistency.Contains(kind))
        {
            remarks.Add("Its scheduler is that of latent consistency models: such a network jumps to the end of a trajectory and does not "
                + "denoise, so schedules searched with it mean little. It is meant to be sampled by the solver lcm over the schedule "
                + "sd-lcm.");
        }

        if (IsTrue(given, ZeroTerminal))
        {
            remarks.Add(InvariantText.Of($"Its noise ends without any signal ({ZeroTerminal}), at an infinite sigma; sigma "
                + $"{DiscreteVpNoise.SigmaOfNoSignal} stands for that here, as in diffusers' samplers over sigmas."));
        }

        return remarks;
    }

    private static PreconditioningConfig OfBetas(Dictionary<string, JsonElement> given, string path, string kind)
    {
        if (IsTrue(given, "use_flow_sigmas"))
            throw Unknown(path, "use_flow_sigmas", "is true: a rectified flow; known of those is FlowMatchEulerDiscreteScheduler");
        string? usual = kind.Length == 0 ? null : OfLatentConsistency.Contains(kind) ? "scaled_linear" : "linear";
        string? schedule = Text(given, "beta_schedule", path) ?? usual;
        string noise = schedule switch
        {
            "linear" => DiscreteVpNoise.LinearName,
            "scaled_linear" => DiscreteVpNoise.ScaledLinearName,
            "squaredcos_cap_v2" => DiscreteVpNoise.CosineName,
            null => throw Unknown(path, "_class_name", "and beta_schedule are missing; known are schedulers over betas"),
            _ => throw Unknown(
                path, "beta_schedule", $"is {Printable.Text(schedule)}; known are linear, scaled_linear and squaredcos_cap_v2"),
        };
        double steps = Number(given, "num_train_timesteps", path) ?? 1000;
        bool byFormula = noise == DiscreteVpNoise.CosineName;
        var (first, last) = OverBetas.GetValueOrDefault(kind, DdpmBetas);
        var discrete = new PreconditioningConfig
        {
            Kind = PreconditioningConfig.Discrete,
            Noise = noise,
            TimeSteps = steps is >= 2 and <= 100_000 && steps == Math.Floor(steps) ? (int)steps
                : throw Unknown(path, "num_train_timesteps", "is not a whole number in 2..100000"),
            BetaStart = byFormula ? null : Number(given, "beta_start", path) ?? first,
            BetaEnd = byFormula ? null : Number(given, "beta_end", path) ?? last,
            TimeRounding = TimeRounding.Between,
            Prediction = Prediction(given, path),
            ZeroTerminalSnr = IsTrue(given, ZeroTerminal) ? true : null,
            BoundaryScale = kind == Lcm ? Number(given, "timestep_scaling", path) ?? UsualBoundaryScale : null,
        };
        if (discrete is { ZeroTerminalSnr: true, Prediction: NetworkPrediction.Epsilon })
        {
            throw Unknown(path, ZeroTerminal, "is true with prediction_type epsilon: where there is no signal the noise says nothing of "
                + "the image; known are v_prediction and sample");
        }

        if (TrainedBetas(given, path) is { } betas)
        {
            discrete = discrete with
            { Noise = null, BetaStart = null, BetaEnd = null, TimeSteps = betas.Count, Sigmas = DiscreteVpNoise.SigmasOf(betas) };
        }

        bool isContinuous = IsContinuous(given, path) && discrete.Prediction == NetworkPrediction.V;
        return isContinuous ? OfContinuousTimes(given, path, discrete) : discrete;
    }

    // Diffusers tells such networks ln(sigma) / 4, as EDM does; of every other prediction the setting changes nothing.
    private static PreconditioningConfig OfContinuousTimes(
        Dictionary<string, JsonElement> given, string path, PreconditioningConfig discrete)
    {
        var levels = discrete.Build();
        return new PreconditioningConfig
        {
            Kind = PreconditioningConfig.Edm,
            SigmaData = 1,
            SigmaMin = Number(given, "sigma_min", path) ?? levels.SigmaMin,
            SigmaMax = Number(given, "sigma_max", path) ?? levels.SigmaMax,
            Prediction = NetworkPrediction.V,
        };
    }

    private static bool IsContinuous(Dictionary<string, JsonElement> given, string path) => Text(given, "timestep_type", path) switch
    {
        null or "discrete" => false,
        Continuous => true,
        var other => throw Unknown(path, "timestep_type", $"is {Printable.Text(other)}; known are discrete and {Continuous}"),
    };

    private static List<double>? TrainedBetas(Dictionary<string, JsonElement> given, string path)
    {
        if (!given.TryGetValue("trained_betas", out JsonElement list) || list.ValueKind == JsonValueKind.Null)
            return null;
        var betas = list.ValueKind == JsonValueKind.Array && list.GetArrayLength() is >= 2 and <= 100_000
            ? list.EnumerateArray().Select(b => b.ValueKind == JsonValueKind.Number && b.TryGetDouble(out double beta) ? beta : 0).ToList()
            : [];
        return betas.Count > 0 && betas.TrueForAll(beta => beta is > 0 and < 1) ? betas
            : throw Unknown(path, "trained_betas", $"is {Shown(list)}, no list of 2 to 100000 numbers above 0 and below 1");
    }

    private static PreconditioningConfig Levels(Dictionary<string, JsonElement> given, string path, string kind) => new()
    {
        Kind = kind,
        SigmaData = Number(given, "sigma_data", path) ?? 0.5,
        SigmaMin = Number(given, "sigma_min", path) ?? 0.002,
        SigmaMax = Number(given, "sigma_max", path) ?? 80,
    };

    private static NetworkPrediction? EdmPrediction(Dictionary<string, JsonElement> given, string path) => Prediction(given, path) switch
    {
        NetworkPrediction.Epsilon => null,
        NetworkPrediction.V => NetworkPrediction.V,
        _ => throw Unknown(path, "prediction_type", "of an EDM scheduler is sample; known are epsilon and v_prediction"),
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

    private static void RefuseUnknown(Dictionary<string, JsonElement> given, string path, IReadOnlyCollection<string> also)
    {
        foreach (var (key, value) in given)
        {
            bool isOff = value.ValueKind is JsonValueKind.Null or JsonValueKind.False;
            if (!isOff && !key.StartsWith('_') && !Known.Contains(key) && !OfSampling.Contains(key) && !also.Contains(key)
                && key != "use_flow_sigmas")
            {
                throw Unknown(path, Printable.Line(key, 60),
                    $"is {Shown(value)}, a setting that is not known here and could change the noise levels");
            }
        }
    }

    private static bool IsTrue(Dictionary<string, JsonElement> given, string key)
        => given.TryGetValue(key, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    private static string Shown(JsonElement value) => Printable.Line(value.GetRawText(), 60);

    private static string? Text(Dictionary<string, JsonElement> given, string key, string path)
        => !given.TryGetValue(key, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null
        : OtherNetworks.Text(value) ?? throw Unknown(path, key, $"is {Shown(value)}, no text");

    private static double? Number(Dictionary<string, JsonElement> given, string key, string path)
        => !given.TryGetValue(key, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number)
            && double.IsFinite(number) ? number : throw Unknown(path, key, $"is {Shown(value)}, no finite number");

    private static InvalidInputException Unknown(string path, string key, string problem) => new($"{path}: {key} {problem}.");
}
