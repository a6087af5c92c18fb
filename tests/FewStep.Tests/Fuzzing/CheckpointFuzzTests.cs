using System.IO.Compression;
using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Tests.Checkpoints;

namespace FewStep.Tests.Fuzzing;

/// <summary>Damaged pickles, zip archives, safetensors, npy and npz files.</summary>
public sealed class CheckpointFuzzTests : TensorFileTests
{
    private const int LargestSide = 32; // of images that are denoised

    private static readonly byte[] Storage = [.. Enumerable.Range(0, 6).SelectMany(i => BitConverter.GetBytes((float)i))];

    [Fact]
    public void State_dictionaries_in_zips()
    {
        byte[] pickle = new PickleBuilder().Global("collections", "OrderedDict").Op(")R(")
            .Text("whole").Tensor("0", 6, 0, [2, 3], [3, 1])
            .Text("transposed").Tensor("0", 6, 0, [3, 2], [1, 3])
            .Text("last").Tensor("0", 6, 5, [], [])
            .Text("step").Number(12)
            .Op("u.").Bytes;
        Zips("state dictionary", 3000, Zip(("archive/data.pkl", pickle), ("archive/version", "3\n"u8.ToArray()),
            ("archive/byteorder", "little"u8.ToArray()), ("archive/data/0", Storage)), path => TorchStateFile.Read(path));
    }

    [Fact]
    public void TorchScript_archives()
    {
        var pickle = new PickleBuilder().Global("__torch__", "Net").Op(")").Raw(0x81).Op("}(").Text("training").Raw(0x89)
            .Text("stride").Global("torch.jit._pickle", "build_intlist").Op("](K\u0001K\u0002e").Raw(0x85).Op("R")
            .Text("conv").Global("__torch__.torch.nn", "Conv").Op(
                ")").Raw(0x81).Op("}(").Text("weight").Tensor("0", 6, 0, [2, 3], [3, 1]).Op("ub").Op("ub.");
        Zips("TorchScript archive", 2500, Zip(("net/data.pkl", pickle.Bytes), ("net/constants.pkl", new PickleBuilder().Op(").").Bytes),
            ("net/data/0", Storage)), path => TorchScriptFile.Read(path));
    }

    [Fact]
    public void State_dictionaries_before_zips()
    {
        byte[] whole =
        [
            .. new PickleBuilder().Raw(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19).Op(".").Bytes,
            .. new PickleBuilder().Number(1001).Op(".").Bytes,
            .. new PickleBuilder().Op("}").Text("little_endian").Raw(0x88).Op("s.").Bytes,
            .. new PickleBuilder().Op("}").Text("w").Tensor("17", 6, 1, [2, 2], [2, 1]).Op("s.").Bytes,
            .. new PickleBuilder().Op("]").Text("17").Op("a.").Bytes,
            .. BitConverter.GetBytes(6L),
            .. Storage,
        ];
        string path = _folder.File("old.pt");
        FuzzRun.Files("old state dictionary", 3000, random => ByteMutation.Of(whole, random), path, () => Free(TorchStateFile.Read(path)));
    }

    [Theory]
    [InlineData("ve-ncsnpp-uncond")]
    [InlineData("edm-adm-cond")]
    public void Network_pickles(string name)
    {
        byte[] whole = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "golden", "checkpoints", name + ".pkl"));
        string path = _folder.File("network.pkl");
        FuzzRun.Files(name, 150, random => ByteMutation.Of(whole, random), path, () => Use(path, null));
    }

    [Theory]
    [InlineData("edm2-tiny/edm2-tiny-uncond-guide.pkl", 100)]
    [InlineData("dit-tiny/dit-original-names.pt", 100)]
    [InlineData("dit-tiny/transformer/config.json", 200)]
    [InlineData("sd35-tiny/transformer/config.json", 200)]
    [InlineData("flux-tiny/transformer/config.json", 200)]
    [InlineData("flux-tiny/scheduler/scheduler_config.json", 150)]
    public void Parts_of_pipelines(string file, int cases)
    {
        string name = file.Split('/')[0];
        string model = _folder.File(Path.GetExtension(file) == ".json" ? name : Path.GetFileName(file));
        byte[] whole = File.ReadAllBytes(GoldenPipelines.At(file));
        foreach (string part in Directory.GetFiles(GoldenPipelines.At(name), "*", SearchOption.AllDirectories))
        {
            string copy = _folder.File(Path.Combine(name, Path.GetRelativePath(GoldenPipelines.At(name), part)));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(part, copy, overwrite: true);
        }

        bool isJson = Directory.Exists(model);
        FuzzRun.Files(file, cases, random => isJson || Path.GetExtension(file) == ".pkl" ? ByteMutation.Of(whole, random, isJson)
            : ByteMutation.OfZip(whole, random), isJson ? _folder.File(file) : model, () => Use(model, null));
    }

    [Fact]
    public void Safetensors_with_a_configuration()
    {
        string path = _folder.File("adm.safetensors");
        var config = Adm(8, groups: null);
        using (var denoiser = ModelFolder.Initialize(config, 1))
        {
            GuidedDiffusionNames.Write(path, config, denoiser);
        }

        byte[] whole = File.ReadAllBytes(path);
        FuzzRun.Files(
            "safetensors with configuration", 1500, random => ByteMutation.Of(whole, random, isText: true), path, () => Use(path, null));
    }

    [Fact]
    public void Safetensors_in_the_names_of_guided_diffusion()
    {
        string path = _folder.File("names.safetensors");
        var config = Adm(32, groups: 32);
        using (var denoiser = ModelFolder.Initialize(config, 1))
        {
            SafetensorsFile.Write(path, GuidedDiffusionNames.ToGuidedDiffusion(
                (DhariwalUNetOptions)config.Network, GuidedDiffusionTests.Named(denoiser), AttentionOrder.Legacy));
        }

        byte[] whole = File.ReadAllBytes(path);
        FuzzRun.Files("safetensors of a state dictionary", 400, random => ByteMutation.Of(whole, random, isText: true), path,
            () => Use(path, new ModelReadOptions { Resolution = 8, ChannelsPerHead = 8 }));
    }

    [Fact]
    public void Arrays()
    {
        string npz = _folder.File("a.npz"), npy = _folder.File("a.npy");
        NpzFile.Write(npz, new Dictionary<string, NpyArray>
        { ["x"] = new(new float[24], 2, 3, 4), ["labels"] = new(new long[2], 2), ["mu"] = new(new double[3], 3) });
        byte[] zip = File.ReadAllBytes(npz);
        FuzzRun.Files("npz", 2000, random => ByteMutation.OfZip(zip, random), npz, () => NpzFile.Read(npz));
        NpyFiles.Write(npy, new NpyArray(new float[24], 2, 3, 4));
        byte[] array = File.ReadAllBytes(npy);
        FuzzRun.Files("npy", 1500, random => ByteMutation.Of(array, random, isText: true), npy, () => NpyFiles.Read(npy));
    }

    /// <summary>A small ADM network for tests with files.</summary>
    internal static ModelConfig Adm(int channels, int? groups) => new()
    {
        Name = "tiny",
        Shape = new ImageShape(3, 8, 8),
        Classes = 3,
        Preconditioning = new PreconditioningConfig(),
        Network = new DhariwalUNetOptions
        {
            ImgResolution = 8,
            InChannels = 3,
            OutChannels = 3,
            LabelDim = 3,
            ModelChannels = channels,
            ChannelMult = [1, 1],
            ChannelMultEmb = 2,
            NumBlocks = 1,
            AttnResolutions = [4],
            ChannelsPerHead = 8,
            NormGroups = groups,
        },
    };

    /// <summary>Reads a model and evaluates it once: what is accepted must work.</summary>
    internal static void Use(string path, ModelReadOptions? options)
    {
        using var source = ModelSource.Open(path, options);
        var shape = source.Config.Shape;
        if (shape.Channels * shape.Height * shape.Width <= 3 * LargestSide * LargestSide)
        {
            using var scope = NewDisposeScope();
            source.Denoiser.Denoise(zeros(shape.Batch(1)), ones(1), source.Config.Classes > 0 ? zeros(1, dtype: int64) : null);
        }
    }

    private static void Free(Dictionary<string, Tensor> tensors)
    {
        foreach (Tensor tensor in tensors.Values)
            tensor.Dispose();
    }

    private static byte[] Zip(params (string Name, byte[] Content)[] entries)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                using var stream = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
                stream.Write(content);
            }
        }

        return file.ToArray();
    }

    private void Zips(string name, int cases, byte[] zip, Func<string, Dictionary<string, Tensor>> read)
    {
        string path = _folder.File("file.pt");
        FuzzRun.Files(name, cases, random => ByteMutation.OfZip(zip, random), path, () => Free(read(path)));
    }
}
