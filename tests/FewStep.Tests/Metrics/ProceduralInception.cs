using System.IO.Compression;
using System.Text.Json;
using FewStep.Metrics;
using FewStep.Tests.Checkpoints;

namespace FewStep.Tests.Metrics;

/// <summary>Inception-v3 with the weights of the golden file: a formula of each entry's name and index.</summary>
internal static class ProceduralInception
{
    /// <summary>Names and shapes of pytorch-fid's state dictionary.</summary>
    public static Dictionary<string, long[]> Shapes() =>
        JsonSerializer.Deserialize<Dictionary<string, long[]>>(File.ReadAllBytes(Golden("inception-state-dict-shapes.json")))!
            .Where(e => !e.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)).ToDictionary();

    public static string Golden(string file) => Path.Combine(AppContext.BaseDirectory, "golden", "fid", file);

    /// <summary>The state dictionary; the current dispose scope owns it.</summary>
    public static Dictionary<string, Tensor> Weights() => Shapes().ToDictionary(e => e.Key, e => Weight(e.Key, e.Value));

    /// <summary>Writes the weights in the container of torch.save, or as the TorchScript archive of the same network, whose normalisations
    /// have no gain.</summary>
    public static void Write(string path, InceptionKind kind)
    {
        using var scope = NewDisposeScope();
        var weights = Weights();
        using var zip = new ZipArchive(new FileStream(path, FileMode.Create), ZipArchiveMode.Create);
        var pickle = new PickleBuilder();
        int next = 0;
        if (kind == InceptionKind.PytorchFid)
        {
            pickle.Op("}(");
            foreach (var (name, value) in weights)
                Tensor(name, value);
            pickle.Op("u.");
        }
        else
        {
            Module([.. ScriptWeights(weights).Select(w => (w.Key.Split('.'), w.Value))], "Inception");
            pickle.Op(".");
            Entry("constants.pkl", new PickleBuilder().Op(").").Bytes);
        }

        Entry("data.pkl", pickle.Bytes);

        void Tensor(string name, Tensor value)
        {
            long[] strides = [.. value.shape.Select((_, axis) => value.shape[(axis + 1)..].Aggregate(1L, (a, b) => a * b))];
            pickle.Text(name).Tensor($"{next}", value.numel(), 0, value.shape, strides);
            Entry($"data/{next++}", value.contiguous().bytes.ToArray());
        }

        void Module(List<(string[] Path, Tensor Value)> tensors, string type)
        {
            pickle.Global("__torch__.___torch_mangle_" + next, type).Op(")").Raw(0x81).Op("}(").Text("training").Raw(0x89);
            foreach (var part in tensors.GroupBy(t => t.Path[0]))
            {
                if (part.First().Path.Length == 1)
                {
                    Tensor(part.Key, part.Single().Value);
                }
                else
                {
                    pickle.Text(part.Key);
                    Module([.. part.Select(p => (p.Path[1..], p.Value))], "Part");
                }
            }

            pickle.Op("ub");
        }

        void Entry(string name, byte[] content)
        {
            using var stream = zip.CreateEntry("inception/" + name, CompressionLevel.NoCompression).Open();
            stream.Write(content);
        }
    }

    /// <summary>The same values under NVIDIA's names, without gains.</summary>
    public static Dictionary<string, Tensor> ScriptWeights(Dictionary<string, Tensor> weights)
    {
        var renamed = new Dictionary<string, Tensor> { ["output.weight"] = weights["fc.weight"], ["output.bias"] = weights["fc.bias"] };
        foreach (var layer in InceptionLayout.All)
        {
            renamed[layer.ScriptName + ".weight"] = weights[layer.Name + ".conv.weight"];
            renamed[layer.ScriptName + ".beta"] = weights[layer.Name + ".bn.bias"];
            renamed[layer.ScriptName + ".mean"] = weights[layer.Name + ".bn.running_mean"];
            renamed[layer.ScriptName + ".var"] = weights[layer.Name + ".bn.running_var"];
        }

        return renamed;
    }

    private static Tensor Weight(string name, long[] shape)
    {
        int offset = name.Sum(c => c) % 97;
        long count = shape.Aggregate(1L, (a, b) => a * b);
        double fan = shape.Skip(1).Aggregate(1.0, (a, b) => a * b);
        using var scope = NewDisposeScope();
        var k = arange(count, dtype: ScalarType.Float64);
        var wave = ((k * 0.731) + (k.remainder(1013) * 0.0137) + offset).sin();
        var values = name.EndsWith("running_var", StringComparison.Ordinal) ? (wave * 0.3) + 1
            : name.EndsWith("running_mean", StringComparison.Ordinal) ? wave * 0.05
            : name.Contains(".bn.weight", StringComparison.Ordinal) ? (wave * 0.1) + 1
            : name.EndsWith(".bias", StringComparison.Ordinal) ? wave * 0.05
            : wave * 1.3 * Math.Sqrt(2) / Math.Sqrt(fan);
        return values.to(ScalarType.Float32).reshape(shape).MoveToOuterDisposeScope();
    }
}
