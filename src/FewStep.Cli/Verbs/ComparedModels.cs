namespace FewStep.Cli.Verbs;

/// <summary>The models of an evaluation: first the one as it came, then tuned ones by name. Owns them; dispose it.</summary>
internal sealed class ComparedModels : IDisposable
{
    private readonly List<(string? Tuning, Model Model)> _models = [];

    private ComparedModels()
    {
    }

    /// <summary>Name of the tuning (null for the first) and the model.</summary>
    public IReadOnlyList<(string? Tuning, Model Model)> All => _models;

    public Model First => _models[0].Model;

    public static ComparedModels Open(IReadOnlyList<string> values, ModelOptions options)
    {
        var models = new ComparedModels();
        try
        {
            foreach (string value in values)
                models.Add(value, models._models.Count == 0 ? options : options with { Checkpoint = new ModelReadOptions() });
            return models;
        }
        catch
        {
            models.Dispose();
            throw;
        }
    }

    public void Dispose() => _models.ForEach(m => m.Model.Dispose());

    private void Add(string value, ModelOptions options)
    {
        bool named = !Path.Exists(value) && value.Contains('=', StringComparison.Ordinal);
        string[] parts = named
            ? value.Split('=', 2)
            : [Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(value.Length == 0 ? "." : value))), value];
        if (_models.Count == 0 && named)
        {
            throw new InvalidInputException(
                $"--model '{value}': the first model is the one as it came and takes no name; name the tuned ones after it.");
        }

        if (parts[0].Length is 0 or > 60 || parts[0].Any(char.IsControl))
            throw new InvalidInputException($"--model: the name in front of '=' must be one line of 1 to 60 characters.");
        if (_models.Skip(1).Any(m => m.Tuning == parts[0]))
            throw new InvalidInputException($"Two models are called '{parts[0]}'; give them names: --model name=folder.");
        // A tuned network lies without autoencoder and text encoders, and older ones do not say where those are.
        if (_models.Count > 0 && First.Pipeline is { } pipeline && ModelFolder.IsOne(parts[1]) && !ModelFolder.Remembers(parts[1]))
        {
            options = options with
            { Checkpoint = options.Checkpoint with { Pipeline = pipeline.Folder, PipelineFile = pipeline.File } };
        }

        var model = Model.Open(parts[1], options);
        _models.Add((_models.Count == 0 ? null : parts[0], model));
        if (model.Shape != First.Shape || model.Classes != First.Classes)
        {
            throw new InvalidInputException(
                $"{parts[1]} makes images of {model.Shape} in {model.Classes} classes, {First.Path} of {First.Shape} in {First.Classes}; "
                    + "only models of one kind compare.");
        }
    }
}
