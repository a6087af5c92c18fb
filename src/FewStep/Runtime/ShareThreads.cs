using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace FewStep.Runtime;

/// <summary>Threads that each compute a share of a batch on the processor.</summary>
/// <remarks>
/// libtorch's own threads divide a single operation and wait for each other at its end, hundreds of times in an evaluation of a small network; shares of a batch meet once. The caller's tensor threads
/// (<c>torch.set_num_threads</c>) are divided among the shares. Dispose scopes and gradient modes are a thread's own, so each share has to open them for itself.
/// </remarks>
internal static class ShareThreads
{
    private static readonly ConcurrentBag<Worker> Idle = [];

    /// <summary>Computes all shares, each on a thread of its own, and waits for them.</summary>
    /// <param name="shares">Number of shares, 1 or more.</param>
    /// <param name="body">Computes the share of a number.</param>
    public static void Run(int shares, Action<int> body)
    {
        int threads = get_num_threads(), each = Math.Max(1, threads / shares);
        var failures = new Exception?[shares];
        var left = new CountdownEvent(shares);
        bool changed = false;
        for (int i = 0; i < shares; i++)
        {
            int share = i;
            var worker = Idle.TryTake(out var idle) ? idle : new Worker();
            changed |= worker.Threads != each;
            worker.Start(each, () =>
            {
                try
                {
                    body(share);
                }
#pragma warning disable CA1031 // thrown again on the caller's thread
                catch (Exception e)
#pragma warning restore CA1031
                {
                    failures[share] = e;
                }
                finally
                {
                    Idle.Add(worker);
                    left.Signal();
                }
            });
        }

        left.Wait();
        if (changed)
        {
            set_num_threads(threads); // a thread's own number becomes that of all threads to come
        }

        if (failures.FirstOrDefault(f => f is not null) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private sealed class Worker
    {
        private readonly object _gate = new();
        private Action? _work;
        private int _wanted;

        public Worker() => new Thread(Loop) { IsBackground = true, Name = "batch share" }.Start();

        /// <summary>Tensor threads of the last work.</summary>
        public int Threads { get; private set; }

        public void Start(int threads, Action work)
        {
            lock (_gate)
            {
                (_wanted, _work) = (threads, work);
                Monitor.Pulse(_gate);
            }
        }

        private void Loop()
        {
            while (true)
            {
                Next()();
            }
        }

        private Action Next()
        {
            lock (_gate)
            {
                while (_work is null)
                {
                    Monitor.Wait(_gate);
                }

                if (Threads != _wanted)
                {
                    set_num_threads(_wanted);
                    Threads = _wanted;
                }

                var work = _work;
                _work = null;
                return work;
            }
        }
    }
}
