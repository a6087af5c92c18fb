using FewStep.Experiments;
using FewStep.Interchange;

namespace FewStep.Studio;

/// <summary>A sampler as text for elsewhere: its file, commands, and lists for other programs.</summary>
internal static class CopyOut
{
    private const string Schedule = "studio";

    /// <param name="request">Model and sampler as the page has them.</param>
    /// <param name="saved">File that the sampler lies in or will be saved as.</param>
    public static IReadOnlyList<CopiedText> Of(SamplerRequest request, Model model, string saved)
    {
        var sampler = request.Make(model);
        bool isOwn = model.Sampler is not null && sampler.Equals(model.Sampler);
        string path = model.Path ?? model.Name;
        string options = request.Guidance is double weight ? InvariantText.Of($" --guidance {weight:R}") : "";
        string[] first = isOwn || File.Exists(saved) ? [] : [$"Save the sampler file first: this names {saved}."];
        List<CopiedText> texts = [new("Sampler file", SamplerFile.Text(sampler), [])];
        texts.AddRange(FoundCommands.Of(path, saved, isOwn, options: options)
            .Where(c => !c.Text.Contains("--to comfyui", StringComparison.Ordinal)) // its text is below
            .Select(c => new CopiedText(c.Title, c.Text, first)));
        string whole = $"--model {ShellWord.Of(path)} --sampler {(isOwn ? "own" : ShellWord.Of(saved))}{options}";
        texts.Add(new CopiedText("ONNX: the whole sampler as one graph", $"fewstep export --to onnx {whole} --output sampler.onnx", first));
        texts.Add(new CopiedText("A page of static files that samples in the browser",
            $"fewstep export --to web {whole} --runtime node_modules/onnxruntime-web/dist --output demo",
            [.. first, "--runtime is the folder dist of the npm package onnxruntime-web."]));
        var export = new ScheduleExportOptions { Family = model.Family };
        foreach (string name in ScheduleExporters.Names)
            texts.Add(Export(name, sampler, export));
        return texts;
    }

    /// <summary>Name of a file that a sampler may be saved as; only its name is the page's choice.</summary>
    /// <exception cref="InvalidInputException">The name has other signs than letters, digits, dots, dashes and underscores.</exception>
    public static string FileIn(string folder, string? name)
    {
        name = string.IsNullOrWhiteSpace(name) ? Schedule : name.Trim();
        if (name.Length > 80 || name[0] == '.' || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        {
            throw new InvalidInputException(
                "Name the file with up to 80 letters, digits, dots, dashes and underscores, e.g. mine-4-steps.");
        }

        return Path.Combine(folder, $"{name}{SamplerFile.Extension}");
    }

    private static CopiedText Export(string name, Sampler sampler, ScheduleExportOptions options)
    {
        try
        {
            var export = ScheduleExporters.Export(name, sampler.Schedule, options);
            string[] fitted = sampler.Solver is not FittedSolver solver ? [] :
                [$"These are the sigmas alone: the fitted weights stay behind, and images by {solver.Base.Name} on them are worse."];
            return new CopiedText($"{name}: {ScheduleExporters.Describe(name)}", export.Text,
                [.. fitted, .. export.Warnings, .. export.Notes]);
        }
        catch (InvalidInputException e)
        {
            return new CopiedText($"{name}: {ScheduleExporters.Describe(name)}", null, [Printable.Message(e.Message)]);
        }
    }
}

/// <summary>A text to copy; null where there is none, and the remarks say why.</summary>
internal sealed record CopiedText(string Title, string? Text, IReadOnlyList<string> Remarks);

/// <summary>A sampler to be written as text, or saved.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CopyRequest
{
    public SamplerRequest Sampler { get; init; } = new();

    /// <summary>Name of the file without its extension.</summary>
    public string? Name { get; init; }
}
