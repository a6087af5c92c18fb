using FewStep.Checkpoints;

namespace FewStep.Metrics;

/// <summary>A classifier on disk: a folder with <c>config.json</c> and <c>model.safetensors</c> (float16).</summary>
internal static class FeatureClassifierFolder
{
    private const string ConfigurationFile = "config.json";
    private const string WeightsFile = "model.safetensors";

    /// <summary>Writes both files, each whole or not at all; the weights are rounded to float16.</summary>
    public static void Save(FeatureClassifier classifier, string folder)
    {
        ArgumentNullException.ThrowIfNull(classifier);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var weights = classifier.Weights().ToDictionary(w => w.Name, w => w.Value.to_type(ScalarType.Float16));
        SafetensorsFile.Write(Path.Combine(folder, WeightsFile), weights);
        JsonFile.Write(Path.Combine(folder, ConfigurationFile), classifier.Configuration);
    }

    /// <summary>Loads a classifier for images of a shape.</summary>
    /// <param name="remedy">What to do where it takes another one.</param>
    /// <returns>The classifier; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">The folder is not valid, or its classifier takes images of another shape.</exception>
    public static FeatureClassifier LoadFor(string folder, ImageShape shape, Device? device, string remedy = "choose another")
    {
        var classifier = Load(folder, device);
        if (classifier.Shape == shape)
            return classifier;
        string takes = classifier.Shape.ToString();
        classifier.Dispose();
        throw new InvalidInputException($"The images are {shape}, but the classifier of {folder} takes {takes}; {remedy}.");
    }

    /// <returns>The classifier, its weights in float32; the caller owns it.</returns>
    public static FeatureClassifier Load(string folder, Device? device = null)
    {
        string configurationPath = Path.Combine(folder, ConfigurationFile);
        string weightsPath = Path.Combine(folder, WeightsFile);
        var configuration = JsonFile.Read<ClassifierConfiguration>(configurationPath);
        configuration.Check(configurationPath);
        using var stored = SafetensorsFile.Read(weightsPath).Tensors;
        var classifier = new FeatureClassifier(configuration, device: device);
        try
        {
            Fill(classifier, stored, weightsPath);
            return classifier;
        }
        catch
        {
            classifier.Dispose();
            throw;
        }
    }

    /// <summary>Whether a folder holds a classifier that another one would replace.</summary>
    public static bool Holds(string folder)
    {
        string configuration = Path.Combine(folder, ConfigurationFile);
        bool taken = File.Exists(configuration) || File.Exists(Path.Combine(folder, WeightsFile));
        if (taken && !IsClassifier(configuration))
            throw new InvalidInputException($"{folder} holds a model that is no classifier; choose another folder.");
        return taken;
    }

    private static bool IsClassifier(string configuration)
    {
        try
        {
            JsonFile.Read<ClassifierConfiguration>(configuration).Check(configuration);
            return true;
        }
        catch (InvalidInputException)
        {
            return false;
        }
    }

    private static void Fill(FeatureClassifier classifier, Dictionary<string, Tensor> stored, string path)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var weights = classifier.Weights().ToList();
        if (stored.Keys.Except(weights.Select(w => w.Name)).FirstOrDefault() is { } surplus)
        {
            throw new InvalidInputException(
                $"{path} has a weight {Printable.Text(surplus)} that its {ConfigurationFile} has no place for.");
        }

        foreach (var (name, weight) in weights)
        {
            if (!stored.TryGetValue(name, out var value))
                throw new InvalidInputException($"{path} lacks the weight '{name}' that its {ConfigurationFile} asks for.");
            if (!value.is_floating_point() || !value.shape.AsSpan().SequenceEqual(weight.shape) || !isfinite(value).all().AsBoolean())
            {
                throw new InvalidInputException(
                    $"{path}: weight '{name}' must be finite floating-point numbers of shape [{string.Join(",", weight.shape)}].");
            }

            weight.copy_(value);
        }
    }
}
