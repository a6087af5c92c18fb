using static TorchSharp.torch;

namespace FewStep.Cli.Verbs;

/// <summary>Options that several verbs have, in one wording.</summary>
internal static class SharedOptions
{
    public const string ThreadsName = "--threads";

    public static Option<bool> Json() => Flag.Optional<bool>("--json", "Print one JSON object on standard output, and nothing else there.");

    public static Option<long> Seed() => Flag.Of<long>("--seed", "Seed of the run; all randomness is derived from it.", 0);

    public static Option<int> Threads()
        => Flag.Of(ThreadsName, "Processor threads of tensor operations; 0 leaves the choice to libtorch.", 0);

    public static Option<ScalarType> Dtype() => Flag.Of<ScalarType>("--dtype",
        "Number format that the network computes in: float32 or bfloat16. Weights, preconditioning and solver state stay float32.",
        new ModelOptions().ComputeType, "float32|bfloat16", parse: text => text switch
        {
            "float32" or "fp32" => ScalarType.Float32,
            "bfloat16" or "bf16" => ScalarType.BFloat16,
            _ => throw new InvalidInputException($"--dtype '{text}' is neither float32 nor bfloat16."),
        });

    public static Option<string> Model(string also = "") => Flag.Of(
        "--model", "Model folder (config.json and model.safetensors), a network pickle of NVlabs/edm, a state dictionary in "
            + $"guided-diffusion's names, a diffusers folder{also}.", EmbeddedDefault.Model, "path");

    public static Option<string?> Sampler() => Flag.Optional<string?>("--sampler",
        $"Sampler: a *{SamplerFile.Extension} file, or in short schedule/solver/steps, e.g. {SamplerChoice.Usual}.", "file or s/s/n");

    public static Option<string> Data() => Flag.Of(
        "--data", "Images: an EDM-style zip, a folder of PNG or JPEG files, or idx files.", EmbeddedDefault.Data, "path");

    /// <summary>Applies <c>--threads</c>, after checking that libtorch is there at all.</summary>
    public static void PrepareTorch(int threads)
    {
        TorchLibrary.Require();
        if (threads is < 0 or > 1024)
            throw new InvalidInputException($"--threads {threads} is not in 0..1024.");

        TorchLibrary.UseThreads(threads);
    }
}
