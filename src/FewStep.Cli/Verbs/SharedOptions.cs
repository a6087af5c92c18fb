using FewStep.Search;
using FewStep.Sampling;
using FewStep.Models;
using System.CommandLine;
using System.CommandLine.Parsing;
using static TorchSharp.torch;

namespace FewStep.Cli.Verbs;

/// <summary>Options that several verbs have, in one wording.</summary>
internal static class SharedOptions
{
    public const string ThreadsName = "--threads";

    public static Option<bool> Json()
        => new("--json") { Description = "Print one JSON object on standard output, and nothing else there." };

    public static Option<long> Seed()
        => new("--seed") { Description = "Seed of the run; all randomness is derived from it.", DefaultValueFactory = _ => 0 };

    public static Option<int> Threads() => new(ThreadsName)
    { Description = "Processor threads of tensor operations; 0 leaves the choice to libtorch.", DefaultValueFactory = _ => 0 };

    public static Option<ScalarType> Dtype() => new("--dtype")
    {
        Description = "Number format that the network computes in: float32 or bfloat16. Weights, preconditioning and solver state stay "
            + "float32.",
        DefaultValueFactory = _ => new ModelOptions().ComputeType,
        HelpName = "float32|bfloat16",
        CustomParser = result => Parse(result, text => text switch
        {
            "float32" or "fp32" => ScalarType.Float32,
            "bfloat16" or "bf16" => ScalarType.BFloat16,
            _ => throw new InvalidInputException($"--dtype '{text}' is neither float32 nor bfloat16."),
        }),
    };

    public static Option<T> Named<T>(string name, string description, T leftOut, params (string Word, T Value)[] values)
    {
        string words = string.Join(", ", values.Select(v => v.Word));
        var option = new Option<T>(name)
        {
            Description = description,
            HelpName = string.Join('|', values.Select(v => v.Word)),
            CustomParser = result => Parse(result, text => Array.FindIndex(values, v => v.Word == text) is >= 0
                and int found ? values[found].Value : throw new InvalidInputException($"{name} '{text}' is none of {words}.")),
        };
        if (leftOut is not null)
            option.DefaultValueFactory = _ => leftOut;

        return option;
    }

    public static Option<string> Model(string also = "") => new("--model")
    {
        Description = "Model folder (config.json and model.safetensors), a network pickle of NVlabs/edm, a state dictionary in "
            + $"guided-diffusion's names, a diffusers folder{also}.",
        DefaultValueFactory = _ => EmbeddedDefault.Model,
        HelpName = "path",
    };

    public static Option<string?> Sampler() => new("--sampler")
    {
        Description = $"Sampler: a *{SamplerFile.Extension} file, or in short schedule/solver/steps, e.g. {SamplerChoice.Usual}.",
        HelpName = "file or s/s/n",
    };

    public static Option<string> Data() => new("--data")
    {
        Description = "Images: an EDM-style zip, a folder of PNG or JPEG files, or idx files.",
        DefaultValueFactory = _ => EmbeddedDefault.Data,
        HelpName = "path",
    };

    /// <summary>Applies <c>--threads</c>, after checking that libtorch is there at all.</summary>
    public static void PrepareTorch(int threads)
    {
        TorchLibrary.Require();
        if (threads is < 0 or > 1024)
            throw new InvalidInputException($"--threads {threads} is not in 0..1024.");

        TorchLibrary.UseThreads(threads);
    }

    /// <summary>Parses a value with a one-line error.</summary>
    public static T? Parse<T>(ArgumentResult result, Func<string, T> parse)
    {
        try
        {
            return parse(result.Tokens.Count == 1 ? result.Tokens[0].Value : "");
        }
        catch (InvalidInputException e)
        {
            result.AddError(e.Message);
            return default;
        }
    }
}
