using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FewStep.Networks;

namespace FewStep.Tests.Checkpoints;

/// <summary>Writes a network with random weights as a pickle laid out like NVlabs/edm's, number by number, so that networks of any size can
/// be written.</summary>
internal sealed class EdmPickleWriter
{
    private const int Chunk = 1 << 16;

    private static readonly string[] OptionNames =
        ["img_resolution", "in_channels", "out_channels", "label_dim", "augment_dim", "model_channels", "channel_mult_emb", "num_blocks"];

    private readonly Stream _stream;
    private readonly Random _random;
    private readonly bool _half;

    private EdmPickleWriter(Stream stream, int seed, bool half) => (_stream, _random, _half) = (stream, new Random(seed), half);

    /// <summary>Writes a file.</summary>
    /// <param name="path">Target.</param>
    /// <param name="options">The network.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <param name="half">Stores float16 instead of float32.</param>
    /// <returns>Number of parameters.</returns>
    public static long Write(string path, DhariwalUNetOptions options, int seed, bool half = false)
    {
        using var network = new DhariwalUNet(options);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        var writer = new EdmPickleWriter(file, seed, half);
        var root = new Module();
        foreach (ParameterSpec spec in network.Layout.Specs)
            root.At(spec.Name).Parameters.Add((spec.Name.Split('.')[^1], spec.Shape));
        foreach (var (name, buffer) in network.Buffers)
            root.At(name).Buffers.Add((name.Split('.')[^1], buffer.shape, buffer.data<float>().ToArray()));
        writer.Raw(0x80, 3).Op("}").Text("ema");
        writer.Persistent("EDMPrecond", () => writer.State(null, () =>
        {
            writer.Text("sigma_min").Float(0).Text("sigma_max").Float(double.PositiveInfinity).Text("sigma_data").Float(0.5);
            writer.Text("_modules").Ordered().Op("(").Text("model");
            writer.Persistent("DhariwalUNet", () => writer.State(root, () => writer.Options(options)));
            writer.Op("u");
        }));
        writer.Op("s.");
        return network.Layout.Count;
    }

    // The dictionary of a module: parameters, buffers, modules and whatever more is given.
    private void State(Module? module, Action more)
    {
        Op("}(").Text("_parameters").Ordered().Op("(");
        foreach (var (name, shape) in module?.Parameters ?? [])
        {
            Text(name).Global("torch._utils", "_rebuild_parameter").Op("(");
            Tensor(shape, (first, values) => Fill(name, shape, values));
            Raw(0x88).Ordered().Op("tR");
        }

        Op("u").Text("_buffers").Ordered().Op("(");
        foreach (var (name, shape, values) in module?.Buffers ?? [])
        {
            Text(name);
            Tensor(shape, (first, target) => values.AsSpan((int)first, target.Length).CopyTo(target));
        }

        Op("u");
        if (module is not null)
        {
            Text("_modules").Ordered().Op("(");
            foreach (var (name, child) in module.Children)
            {
                Text(name);
                if (name is "enc" or "dec")
                {
                    Global("torch.nn.modules.container", "ModuleDict").Op(")").Raw(0x81);
                    State(child, () => { });
                    Op("b");
                }
                else
                {
                    Persistent(child.Parameters.Any(p => p.Shape.Length == 2) ? "Linear" : child.Children.Count > 0 ? "UNetBlock"
                        : "Conv2d", () => State(child, () => { }));
                }
            }

            Op("u");
        }

        more();
        Op("u");
    }

    private void Options(DhariwalUNetOptions options)
    {
        int[] values = [options.ImgResolution, options.InChannels, options.OutChannels, options.LabelDim, options.AugmentDim,
            options.ModelChannels, options.ChannelMultEmb, options.NumBlocks];
        Text("_init_kwargs").Op("}(");
        foreach (var (name, value) in OptionNames.Zip(values))
            Text(name).Number(value);
        List("channel_mult", options.ChannelMult).List("attn_resolutions", options.AttnResolutions).Text("dropout").Float(options.Dropout)
            .Op("u");
    }

    // Whatever the fan-in, features keep about unit size, so that no forward pass overflows.
    private void Fill(string name, long[] shape, Span<float> values)
    {
        double fanIn = shape.Skip(1).Aggregate(1L, (a, b) => a * b);
        float center = shape.Length == 1 && name == "weight" ? 1 : 0, width = shape.Length == 1 ? 0.1f : (float)Math.Sqrt(3 / fanIn);
        foreach (ref float value in values)
            value = center + (width * ((2 * _random.NextSingle()) - 1));
    }

    private void Persistent(string className, Action state)
    {
        Global("torch_utils.persistence", "_reconstruct_persistent_obj").Op("}(").Text("type").Text("class").Text("version").Number(6)
            .Text("module_src").Text("# none").Text("class_name").Text(className).Text("state");
        state();
        Op("u").Raw(0x85).Op("R");
    }

    private void Tensor(long[] shape, FillNumbers fill)
    {
        long count = shape.Aggregate(1L, (a, b) => a * b);
        long[] strides = [.. shape.Select((_, axis) => shape.Skip(axis + 1).Aggregate(1L, (a, b) => a * b))];
        byte[] head = StorageHead(count);
        Global("torch._utils", "_rebuild_tensor_v2").Op("(").Global("torch.storage", "_load_from_bytes").Op("B")
            .Int32(checked((uint)(head.Length + (count * (_half ? 2 : 4)))));
        _stream.Write(head);
        var values = new float[(int)Math.Min(count, Chunk)];
        var halves = new Half[_half ? values.Length : 0];
        for (long first = 0; first < count; first += values.Length)
        {
            var part = values.AsSpan(0, (int)Math.Min(values.Length, count - first));
            fill(first, part);
            if (_half)
            {
                for (int i = 0; i < part.Length; i++)
                    halves[i] = (Half)part[i];
            }

            _stream.Write(_half ? MemoryMarshal.AsBytes(halves.AsSpan(0, part.Length)) : MemoryMarshal.AsBytes(part));
        }

        Raw(0x85).Op("R").Number(0).Tuple(shape).Tuple(strides).Raw(0x89).Ordered().Op("tR");
    }

    // torch's older serialisation of one storage, up to its numbers.
    private byte[] StorageHead(long count)
    {
        using var bytes = new MemoryStream();
        var inner = new EdmPickleWriter(bytes, 0, _half);
        inner.Raw(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19).Op(".");
        inner.Raw(0x80, 2).Number(1001).Op(".");
        inner.Raw(0x80, 2).Op("}").Text("little_endian").Raw(0x88).Op("s.");
        inner.Raw(0x80, 2).Op("(").Text("storage").Global("torch", _half ? "HalfStorage" : "FloatStorage").Text("0").Text("cpu")
            .Number(count).Op("NtQ.");
        inner.Raw(0x80, 2).Op("]").Text("0").Op("a.");
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, count);
        bytes.Write(length);
        return bytes.ToArray();
    }

    private EdmPickleWriter List(string name, IReadOnlyList<int> values)
    {
        Text(name).Op("](");
        foreach (int value in values)
            Number(value);
        return Op("e");
    }

    private EdmPickleWriter Tuple(long[] values)
    {
        Op("(");
        foreach (long value in values)
            Number(value);
        return Op("t");
    }

    private EdmPickleWriter Ordered() => Global("collections", "OrderedDict").Op(")R");

    private EdmPickleWriter Global(string module, string name) => Op($"c{module}\n{name}\n");

    private EdmPickleWriter Text(string text) => Op("X").Int32((uint)text.Length).Op(text);

    private EdmPickleWriter Number(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Raw(0x8a, 8).Raw(bytes);
    }

    private EdmPickleWriter Float(double value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleBigEndian(bytes, value);
        return Op("G").Raw(bytes);
    }

    private EdmPickleWriter Int32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Raw(bytes);
    }

    private EdmPickleWriter Op(string opcodes) => Raw(Encoding.Latin1.GetBytes(opcodes));

    private EdmPickleWriter Raw(params ReadOnlySpan<byte> bytes)
    {
        _stream.Write(bytes);
        return this;
    }

    private delegate void FillNumbers(long first, Span<float> values);

    private sealed class Module
    {
        public List<(string Name, long[] Shape)> Parameters { get; } = [];

        public List<(string Name, long[] Shape, float[] Values)> Buffers { get; } = [];

        public List<(string Name, Module Module)> Children { get; } = [];

        /// <summary>The module that holds the tensor of a dotted name.</summary>
        public Module At(string name)
        {
            int dot = name.IndexOf('.', StringComparison.Ordinal);
            if (dot < 0)
                return this;
            string first = name[..dot];
            Module? child = Children.FirstOrDefault(c => c.Name == first).Module;
            if (child is null)
                Children.Add((first, child = new Module()));
            return child.At(name[(dot + 1)..]);
        }
    }
}
