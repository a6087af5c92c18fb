using static TorchSharp.torch;

namespace FewStep.Cli.Verbs;

/// <summary>Options that several verbs have, in one wording.</summary>
internal static class SharedOptions
{
    public const string ThreadsName = "--threads", JsonName = "--json";

    private const string DtypeName = "--dtype", DtypeWords = "float32|bfloat16";

    public static Option<bool> Json(this Command command) =>
        command.Optional<bool>(JsonName, "Print one JSON object on standard output, and nothing else there.");

    public static Option<long> Seed(this Command command) =>
        command.Option<long>("--seed", "Seed of the run; all randomness is derived from it.", 0);

    public static Option<int> Threads(this Command command)
        => command.Option(ThreadsName, "Processor threads of tensor operations; 0 leaves the choice to libtorch.", 0);

    /// <summary>The number format of a network; <see cref="ComputeTypeOf"/> reads it.</summary>
    public static Option<ScalarType?> Dtype(this Command command) => command.Optional<ScalarType?>(DtypeName,
        "Number format that the network computes in; weights, preconditioning and solver state stay float32. Left out, bfloat16 on a GPU "
            + "and on processors that multiply it faster (AMX; AMD's AVX-512 BF16), else float32.", DtypeWords, text => ParseDtype(text));

    /// <summary>The number format of stored weights.</summary>
    public static Option<ScalarType> StoredDtype(this Command command) => command.Option(DtypeName,
        "Number format of the stored weights: float32 keeps every bit, bfloat16 halves the file.", ScalarType.Float32, DtypeWords,
        ParseDtype);

    /// <summary>The number format that was asked for, or the usual one of the device.</summary>
    public static ScalarType ComputeTypeOf(this ParseResult parsed, Option<ScalarType?> dtype) =>
        parsed.GetValue(dtype) ?? ComputeType.Usual(DeviceFlag.Resolve(parsed));

    public static Option<string> Model(this Command command, string also = "") => command.Option(
        "--model", "Model folder (config.json and model.safetensors), a network pickle of NVlabs/edm, a state dictionary in "
            + $"guided-diffusion's names, a diffusers folder{also}.", EmbeddedDefault.Model, "path");

    public static Option<string?> Sampler(this Command command) => command.Sampler<string?>("");

    /// <summary>The option of verbs that measure several.</summary>
    public static Option<string[]> Samplers(this Command command) => command.Sampler<string[]>(" May be repeated.");

    /// <summary>Whether a sampler that was fitted to another model is taken.</summary>
    public static Option<bool> AnyModel(this Command command) => command.Optional<bool>(
        "--any-model", "Take a --sampler that was fitted to another model, other guidance or other weights.");

    /// <summary>The samplers that are named, none for none.</summary>
    public static IReadOnlyList<SamplerChoice> ReadSamplers(this ParseResult parsed, Option<string[]> samplers, Option<bool> anyModel) =>
        [.. (parsed.GetValue(samplers) ?? []).Select(SamplerChoice.Parse).Select(c => parsed.GetValue(anyModel) ? c.ForAnyModel() : c)];

    public static Option<string> Data(this Command command) => command.Option(
        "--data", "Images: an EDM-style zip, a folder of PNG or JPEG files, or idx files. Where they are those that a model was trained "
            + $"on, {OwnSampleSet.Name}[:COUNT] takes fine samples of the model itself, as "
            + "models of text or latents do where it is left out.",
        EmbeddedDefault.Data, "path");

    /// <summary>A loss curve in place of a measured one; <see cref="ReadCurve"/> reads it.</summary>
    public static Option<string?> Curve(this Command command) =>
        command.Optional<string?>("--curve", "A loss-curve.json to use instead of measuring one.", "file");

    /// <summary>The curve that is given, which must be of the model with the hash; null where one is to be measured.</summary>
    public static LossCurve? ReadCurve(this ParseResult parsed, Option<string?> curve, string hash) =>
        parsed.GetValue(curve) is string file ? LossCurveFile.ReadFor(file, hash) : null;

    /// <summary>Applies <c>--threads</c>, after checking that libtorch is there at all.</summary>
    public static void PrepareTorch(int threads)
    {
        TorchLibrary.Require();
        if (threads is < 0 or > 1024)
            throw new InvalidInputException($"--threads {threads} is not in 0..1024.");
        TorchLibrary.UseThreads(threads == 0 ? TorchLibrary.UsualThreads : threads);
    }

    private static ScalarType ParseDtype(string text) => text switch
    {
        "float32" or "fp32" => ScalarType.Float32,
        "bfloat16" or "bf16" => ScalarType.BFloat16,
        _ => throw new InvalidInputException($"{DtypeName} '{text}' is neither float32 nor bfloat16."),
    };

    private static Option<T> Sampler<T>(this Command command, string also) => command.Optional<T>("--sampler",
        $"Sampler: a *{SamplerFile.Extension} file, or in short schedule/solver/steps, e.g. {SamplerChoice.Usual}.{also}",
        "file or s/s/n");
}
