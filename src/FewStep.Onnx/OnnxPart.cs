using FewStep.Checkpoints;
using FewStep.Models;
using System.Text.Json;

namespace FewStep.Onnx;

/// <summary>A network of an ONNX pipeline beside the denoiser: one input that counts, one output, and a configuration. Dispose
/// it.</summary>
internal sealed class OnnxPart : IDisposable
{
    private readonly OnnxSession _session;

    private OnnxPart(string path, OnnxSession session, IReadOnlyDictionary<string, JsonElement> config, string hash)
        => (Path, _session, Config, Hash) = (path, session, config, hash);

    public string Path { get; }

    /// <summary>What <c>config.json</c> beside it says; nothing where there is none.</summary>
    public IReadOnlyDictionary<string, JsonElement> Config { get; }

    /// <summary>SHA-256 of the file, of the files that it keeps weights in, and of the configuration.</summary>
    public string Hash { get; }

    public IEnumerable<string> Outputs => _session.Outputs.Keys;

    /// <summary>Opens a part of a pipeline.</summary>
    /// <returns>The part; the caller owns it. Null where there is no such folder.</returns>
    public static OnnxPart? Open(string pipeline, string name, int threads, OnnxProvider? provider)
    {
        string path = System.IO.Path.Combine(pipeline, name, Model.OnnxNetworkName);
        string config = System.IO.Path.Combine(pipeline, name, DiffusersPipeline.ConfigName);
        if (!File.Exists(path))
            return null;
        IEnumerable<string> files = [path, .. OnnxFileScan.ExternalFiles(path), .. File.Exists(config) ? new[] { config } : []];
        string hash = Sha256.Of(string.Join('\n', files.Select(Sha256.OfFile)));
        var said = File.Exists(config) ? JsonFile.ReadPython(config) : [];
        return new OnnxPart(path, new OnnxSession(path, threads, provider: provider), said, hash);
    }

    /// <summary>The one input, of one of some names where there are several.</summary>
    public OnnxInput Input(params ReadOnlySpan<string> names)
    {
        string? name = _session.Inputs.Count == 1 ? _session.Inputs.Keys.Single() : null;
        foreach (string known in names)
            name ??= _session.Inputs.ContainsKey(known) ? known : null;
        if (name is null || _session.Inputs.Count > 1)
        {
            string all = string.Join(", ", _session.Inputs.Keys.Take(8).Select(Printable.Text));
            throw new InvalidInputException(
                $"{Path} has the inputs {all}; a network of its kind has one, {string.Join(" or ", names)}.");
        }

        var node = _session.Inputs[name];
        return node.IsTensor && OnnxTensors.TypeOf(node.ElementDataType) is { } type
            ? new OnnxInput(name, node.ElementDataType, type, node.Dimensions)
            : throw new InvalidInputException($"{Path}: its input {Printable.Text(name)} is of type {node.ElementDataType}, which none of "
                + "its kind is.");
    }

    /// <summary>Evaluates an output.</summary>
    /// <returns>Of the network's type; belongs to the current dispose scope.</returns>
    public Tensor Run(OnnxInput input, Tensor value, string output) => Run(input, value, [output])[0];

    /// <summary>Evaluates several outputs.</summary>
    /// <inheritdoc cref="Run(OnnxInput, Tensor, string)"/>
    public IReadOnlyList<Tensor> Run(OnnxInput input, Tensor value, IReadOnlyCollection<string> outputs)
    {
        var given = value.cpu().to(input.Type).contiguous();
        return _session.Run([(input.Name, given, input.Element, given.shape)], outputs);
    }

    /// <summary>Sizes of an output, -1 where they vary.</summary>
    public IReadOnlyList<int> SizesOf(string output) => _session.Outputs[output].Dimensions;

    /// <summary>A number of the configuration; null where it says none.</summary>
    public double? Number(string key) => !Config.TryGetValue(key, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) ? number
        : throw new InvalidInputException($"{Folder(DiffusersPipeline.ConfigName)}: {key} is {Printable.Line(value.GetRawText(), 60)}, no "
            + "finite number.");

    /// <summary>Path of a file beside the network.</summary>
    public string Folder(string name) => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, name);

    public void Dispose() => _session.Dispose();
}
